//! Who a person is on paper: name, contact data, consent, and how badly all of it was typed in.

use rand::{Rng, RngExt as _};

use super::hazard::Traits;
use super::life::CATEGORIES;

/// The row of the people table, once the person has signed up.
pub(super) struct Profile {
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    /// As it was typed: mixed case, stray blanks, nonsense, or nothing.
    pub(super) email: String,
    /// As the mail server knows it.
    pub(super) clean_email: String,
    pub(super) has_valid_email: bool,
    pub(super) phone: String,
    pub(super) country: &'static str,
    pub(super) city: &'static str,
    pub(super) postcode: String,
    pub(super) birth_year: Option<u32>,
    pub(super) channel: &'static str,
    pub(super) email_opt_in: Option<bool>,
    pub(super) sms_opt_in: Option<bool>,
    /// The category this person likes best.
    favourite: usize,
}

struct Country {
    code: &'static str,
    calling: &'static str,
    mobile: &'static str,
    digits: u32,
    share: f64,
    first_names: [&'static str; 10],
    last_names: [&'static str; 10],
    cities: [(&'static str, &'static str); 4],
}

/// Where people come from. Postcodes: `#` stands for a digit.
const COUNTRIES: [Country; 5] = [
    Country {
        code: "DE",
        calling: "49",
        mobile: "151",
        digits: 8,
        share: 0.48,
        first_names: ["Anna", "Jürgen", "Lena", "Paul", "Sören", "Mia", "Jonas", "Käthe", "Ben", "Hannelore"],
        last_names: [
            "Müller",
            "Schmidt",
            "Weiß",
            "Fischer",
            "Krüger",
            "Becker",
            "von der Heide",
            "Wolf",
            "Jäger",
            "Lang",
        ],
        cities: [("Berlin", "10###"), ("Hamburg", "20###"), ("München", "80###"), ("Köln", "50###")],
    },
    Country {
        code: "FR",
        calling: "33",
        mobile: "6",
        digits: 8,
        share: 0.20,
        first_names: ["Zoé", "Léa", "Hugo", "Chloé", "Jules", "Inès", "Louis", "Manon", "Noël", "Camille"],
        last_names: ["Martin", "Lefèvre", "Dubois", "Moreau", "D'Angelo", "Garçon", "Petit", "Roux", "Blanc", "Faure"],
        cities: [("Paris", "75###"), ("Lyon", "69###"), ("Lille", "59###"), ("Nice", "06###")],
    },
    Country {
        code: "GB",
        calling: "44",
        mobile: "7400",
        digits: 6,
        share: 0.14,
        first_names: ["Olivia", "George", "Amelia", "Harry", "Isla", "Jack", "Siân", "Oscar", "Freya", "Arthur"],
        last_names: ["Smith", "O'Neil", "Taylor", "Davies", "Evans", "Lloyd-Jones", "Wright", "Khan", "Green", "Ward"],
        cities: [("London", "N1 #AB"), ("Leeds", "LS2 #JT"), ("Cardiff", "CF10 #AN"), ("Glasgow", "G2 #DH")],
    },
    Country {
        code: "AT",
        calling: "43",
        mobile: "664",
        digits: 7,
        share: 0.10,
        first_names: ["Sepp", "Vroni", "Lukas", "Sophie", "Felix", "Resi", "Maximilian", "Eva", "David", "Ida"],
        last_names: [
            "Gruber", "Huber", "Bäuerle", "Wagner", "Pichler", "Moser", "Steiner", "Egger", "Lechner", "Aigner",
        ],
        cities: [("Wien", "10##"), ("Graz", "80##"), ("Linz", "40##"), ("Salzburg", "50##")],
    },
    Country {
        code: "NL",
        calling: "31",
        mobile: "6",
        digits: 8,
        share: 0.08,
        first_names: ["Daan", "Emma", "Sem", "Tess", "Lucas", "Saar", "Finn", "Noor", "Bram", "Julia"],
        last_names: [
            "de Jong",
            "Jansen",
            "de Vries",
            "van den Berg",
            "Bakker",
            "Visser",
            "Smit",
            "Mulder",
            "Bos",
            "Vos",
        ],
        cities: [("Amsterdam", "10## AB"), ("Utrecht", "35## CD"), ("Rotterdam", "30## EF"), ("Groningen", "97## GH")],
    },
];

const DOMAINS: [&str; 6] =
    ["gmail.com", "web.example", "mail.example", "post.example", "gmx.example", "outlook.example"];

/// Channels, with how much more often people ready to buy come through them.
const CHANNELS: [(&str, f64, f64); 6] = [
    ("search", 0.30, 0.5),
    ("social", 0.25, -0.6),
    ("direct", 0.15, 0.2),
    ("referral", 0.10, 0.7),
    ("affiliate", 0.12, -0.3),
    ("marketplace", 0.08, 0.0),
];

impl Profile {
    pub(super) fn draw(number: usize, traits: &Traits, rng: &mut impl Rng) -> Self {
        let country = &COUNTRIES[weighted(COUNTRIES.iter().map(|country| country.share), rng)];
        let channel = weighted(CHANNELS.iter().map(|(_, share, pull)| share * libm::exp(pull * traits.intent)), rng);
        let (city, postcode) = country.cities[rng.random_range(0..country.cities.len())];
        let (first_name, last_name) =
            (country.first_names[rng.random_range(0..10)], country.last_names[rng.random_range(0..10)]);
        let domain = DOMAINS[rng.random_range(0..DOMAINS.len())];
        let clean_email = format!("{}.{}{number}@{domain}", plain(first_name), plain(last_name));
        let (email, has_valid_email) = typed_email(&clean_email, rng);
        let dirty_city = rng.random_bool(0.03);
        Self {
            first_name,
            last_name,
            email,
            clean_email,
            has_valid_email,
            phone: typed_phone(country, rng),
            country: country.code,
            city: if dirty_city { "" } else { city },
            postcode: digits(postcode, rng),
            birth_year: birth_year(traits, rng),
            channel: CHANNELS[channel].0,
            email_opt_in: consent(0.72, rng),
            sms_opt_in: consent(0.30, rng),
            favourite: rng.random_range(0..CATEGORIES.len()),
        }
    }

    /// What this person buys this time: the favourite half of the time.
    pub(super) fn category(&self, rng: &mut impl Rng) -> &'static str {
        let any = rng.random_range(0..2 * CATEGORIES.len());
        CATEGORIES.get(any).copied().unwrap_or(CATEGORIES[self.favourite])
    }
}

/// The sloppy forms in which an address comes back from a mail tool or a help desk: case and blanks are not to be trusted.
pub(super) fn sloppy(email: &str, rng: &mut impl Rng) -> String {
    match rng.random_range(0..10) {
        0..5 => email.to_owned(),
        5 | 6 => email.to_uppercase(),
        7 => capitalised(email),
        8 => format!("  {email}"),
        _ => format!("{} ", capitalised(email)),
    }
}

fn typed_email(clean: &str, rng: &mut impl Rng) -> (String, bool) {
    match rng.random_range(0..1000) {
        0..35 => (String::new(), false),
        35..37 => ("n/a".to_owned(), false),
        37..40 => (clean.replace('@', " at "), false),
        40..43 => (clean.split('.').take(2).collect::<Vec<_>>().join("."), false),
        43..90 => (capitalised(clean), true),
        90..110 => (clean.to_uppercase(), true),
        110..125 => (format!(" {clean} "), true),
        _ => (clean.to_owned(), true),
    }
}

fn typed_phone(country: &Country, rng: &mut impl Rng) -> String {
    let Country { calling, mobile, .. } = country;
    let number: String = (0..country.digits).map(|_| char::from(b'0' + rng.random_range(0..10_u8))).collect();
    let (head, tail) = number.split_at(3);
    match rng.random_range(0..100) {
        0..12 => String::new(),
        12..45 => format!("+{calling}{mobile}{number}"),
        45..60 => format!("+{calling} {mobile} {head} {tail}"),
        60..70 => format!("00{calling} {mobile} {number}"),
        70..80 => format!("0{mobile}/{number}"),
        80..90 => format!("0{mobile} {head}-{tail}"),
        90..95 => format!("+{calling} (0) {mobile} {number}"),
        _ => format!("0{mobile}{number}"),
    }
}

fn birth_year(traits: &Traits, rng: &mut impl Rng) -> Option<u32> {
    let age = 42.0 + 6.0 * traits.loyalty + 10.0 * (rng.random::<f64>() + rng.random::<f64>() - 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to human ages")]
    let year = 2024 - age.clamp(18.0, 90.0) as u32;
    match rng.random_range(0..100) {
        0..6 => None,
        6 => Some(1900),
        _ => Some(year),
    }
}

fn consent(share: f64, rng: &mut impl Rng) -> Option<bool> {
    let given = rng.random_bool(share);
    (!rng.random_bool(0.03)).then_some(given)
}

fn weighted(weights: impl Iterator<Item = f64> + Clone, rng: &mut impl Rng) -> usize {
    let mut left = rng.random::<f64>() * weights.clone().sum::<f64>();
    let mut last = 0;
    for (i, weight) in weights.enumerate() {
        last = i;
        left -= weight;
        if left < 0.0 {
            break;
        }
    }
    last
}

fn digits(pattern: &str, rng: &mut impl Rng) -> String {
    pattern.chars().map(|c| if c == '#' { char::from(b'0' + rng.random_range(0..10_u8)) } else { c }).collect()
}

fn capitalised(email: &str) -> String {
    let mut start = true;
    let mut upper = |c: char| {
        let written = if start { c.to_ascii_uppercase() } else { c };
        start = c == '.' || c == '@';
        written
    };
    email.chars().map(&mut upper).collect()
}

/// A name as it stands in an address: lower case, ASCII, nothing but letters.
fn plain(name: &str) -> String {
    let ascii = |c: char| match c {
        'ä' => "ae".to_owned(),
        'ö' => "oe".to_owned(),
        'ü' => "ue".to_owned(),
        'ß' => "ss".to_owned(),
        'é' | 'è' | 'ë' => "e".to_owned(),
        'ç' => "c".to_owned(),
        'â' => "a".to_owned(),
        c if c.is_ascii_alphabetic() => c.to_ascii_lowercase().to_string(),
        _ => String::new(),
    };
    name.chars().map(ascii).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_ascii() {
        for name in COUNTRIES.iter().flat_map(|country| country.first_names.iter().chain(&country.last_names)) {
            let plain = plain(name);
            assert!(
                plain.len() + 4 >= name.chars().count() && plain.bytes().all(|b| b.is_ascii_lowercase()),
                "{plain}"
            );
        }
        assert_eq!(plain("von der Heide"), "vonderheide");
        assert_eq!(capitalised("zoe.petit7@gmail.com"), "Zoe.Petit7@Gmail.Com");
    }
}
