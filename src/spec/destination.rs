//! The forms that an audience is exported in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A form that an audience is exported in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    /// A plain CSV file.
    Csv,
    /// An Excel workbook.
    Xlsx,
    /// A Parquet file.
    Parquet,
    /// The table `clo_audience` in a SQLite file.
    Sqlite,
    /// The table `clo_audience` as a script for PostgreSQL.
    Postgres,
    /// Hashed contacts for any platform without a form of its own here.
    HashedCsv,
    /// Google Ads Customer Match.
    GoogleCustomerMatch,
    /// Google Ads Customer Match by the ids of mobile devices, which stand in a file of their own.
    GoogleMobileDevices,
    /// Meta custom audience.
    MetaCustomAudience,
    /// Seed of a Meta value-based lookalike: a custom audience with a value per person.
    MetaValueBasedSeed,
    /// LinkedIn matched audience.
    LinkedinMatchedAudience,
    /// TikTok custom audience.
    TiktokCustomAudience,
    /// Microsoft Advertising customer match.
    MicrosoftCustomerMatch,
    /// X list custom audience.
    XCustomAudience,
    /// Salesforce campaign members; needs `campaign`.
    SalesforceCampaignMembers,
    /// HubSpot contacts.
    Hubspot,
    /// Mailchimp contacts.
    Mailchimp,
    /// Klaviyo list.
    Klaviyo,
    /// Braze user attributes.
    Braze,
}

impl Destination {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Csv,
        Self::Xlsx,
        Self::Parquet,
        Self::Sqlite,
        Self::Postgres,
        Self::HashedCsv,
        Self::GoogleCustomerMatch,
        Self::GoogleMobileDevices,
        Self::MetaCustomAudience,
        Self::MetaValueBasedSeed,
        Self::LinkedinMatchedAudience,
        Self::TiktokCustomAudience,
        Self::MicrosoftCustomerMatch,
        Self::XCustomAudience,
        Self::SalesforceCampaignMembers,
        Self::Hubspot,
        Self::Mailchimp,
        Self::Klaviyo,
        Self::Braze,
    ];

    /// The name in `clo.toml` and of the folder under `export/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::HashedCsv => "hashed-csv",
            Self::GoogleCustomerMatch => "google-customer-match",
            Self::GoogleMobileDevices => "google-mobile-devices",
            Self::MetaCustomAudience => "meta-custom-audience",
            Self::MetaValueBasedSeed => "meta-value-based-seed",
            Self::LinkedinMatchedAudience => "linkedin-matched-audience",
            Self::TiktokCustomAudience => "tiktok-custom-audience",
            Self::MicrosoftCustomerMatch => "microsoft-customer-match",
            Self::XCustomAudience => "x-custom-audience",
            Self::SalesforceCampaignMembers => "salesforce-campaign-members",
            Self::Hubspot => "hubspot",
            Self::Mailchimp => "mailchimp",
            Self::Klaviyo => "klaviyo",
            Self::Braze => "braze",
        }
    }
}

/// The campaign of a CRM that an audience's people become members of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Its id.
    pub id: String,
    /// What a member is at first.
    pub status: String,
}
