//! Who of an audience may be contacted, beside those whom a suppression list means.

use crate::time::Duration;

/// The rules of an audience about contacting people.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Contacting {
    /// What people must have agreed to, for the audience's purposes.
    pub consents: Vec<Consent>,
    /// Attributes that people of one household have in common: the best ranked of them is contacted.
    pub household: Vec<String>,
    /// Who was contacted so often is left alone.
    pub cap: Option<Cap>,
    /// What people are left alone after.
    pub cool_down: Vec<CoolDown>,
    /// Audiences whose people are left out, each declared before this one.
    pub not_in: Vec<String>,
}

/// One `[[consent]]`: what people must have agreed to for a purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// What they are contacted for, or through: `email`, `ads` …
    pub purpose: String,
    /// SQL over the attributes: whom the rule is about; `None`: everyone. Whom it cannot tell, it is about.
    pub region: Option<String>,
    /// SQL over the attributes: what must hold.
    pub needs: String,
}

/// So many events of a kind in a span before the end are enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// The kind of event that contacting a person leaves: `email_sent`.
    pub event: String,
    /// Who has so many of them is left alone …
    pub times: u32,
    /// … within so long before the end: "30d".
    pub within: Duration,
}

/// People are left alone for so long after an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoolDown {
    /// The kind of event: `purchase`, `complaint`.
    pub after: String,
    /// For how long: "14d".
    pub span: Duration,
}

impl Contacting {
    /// Whether any rule looks at what people did.
    #[must_use]
    pub fn asks_events(&self) -> bool {
        self.cap.is_some() || !self.cool_down.is_empty()
    }

    /// Whether anybody is asked for consent.
    #[must_use]
    pub fn asks_consent(&self) -> bool {
        !self.consents.is_empty()
    }
}
