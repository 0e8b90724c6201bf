//! What can be told of an e-mail address from its letters alone.
//!
//! In: an address. Out: a [`Verdict`]. Written wrongly (RFC 5321 and 5322 without quoted local parts and address
//! literals, which no mailing tool takes), a domain that nobody can own (IDNA 2008, the Public Suffix List), a slip of a
//! well-known provider's domain, an office's mailbox, a provider of throw-away addresses, a test account. Whether the
//! mailbox is there, only sending tells.

use std::collections::HashMap;

use email_address::{EmailAddress, Options};

/// What an address seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing speaks against it.
    Fine,
    /// It is not written as an address.
    Malformed,
    /// Its domain cannot be: no such ending, or not a name of the domain system.
    NoSuchDomain,
    /// Its domain is one slip away from a well-known one.
    Typo(&'static str),
    /// An office's mailbox.
    Role,
    /// A throw-away address.
    Disposable,
    /// An address made for a test: a reserved domain, a mailbox called test.
    Test,
}

impl Verdict {
    /// Whether a mail may arrive.
    pub(crate) fn can_work(self) -> bool {
        !matches!(self, Self::Malformed | Self::NoSuchDomain)
    }
}

/// Providers whose names people mistype; those of fewer letters are too near to others' names.
const PROVIDERS: [&str; 22] = [
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "yahoo.co.uk",
    "yahoo.fr",
    "yahoo.com.br",
    "hotmail.com",
    "hotmail.co.uk",
    "hotmail.fr",
    "outlook.com",
    "outlook.com.br",
    "icloud.com",
    "live.com",
    "comcast.net",
    "verizon.net",
    "protonmail.com",
    "t-online.de",
    "freenet.de",
    "orange.fr",
    "wanadoo.fr",
    "libero.it",
    "uol.com.br",
];
/// Real domains that lie one slip away from a provider's.
const NEIGHBOURS: [&str; 21] = [
    "mail.com",
    "bol.com.br",
    "email.com",
    "ymail.com",
    "gmx.com",
    "live.co",
    "live.cn",
    "live.ca",
    "hotmail.co",
    "yahoo.cn",
    "yahoo.co",
    "fmail.com",
    "zmail.com",
    "rmail.com",
    "hmail.com",
    "cmail.com",
    "tmail.com",
    "imail.com",
    "alive.com",
    "olive.com",
    "live.ie",
];
/// Endings that nobody can register and that people type for `.com`.
const NOT_COM: [&str; 9] = ["con", "cmo", "ocm", "comm", "vom", "xom", "coom", "cpm", "clm"];
const ROLES: [&str; 42] = [
    "abuse",
    "accounts",
    "admin",
    "administrator",
    "billing",
    "bookings",
    "buchhaltung",
    "careers",
    "compras",
    "contact",
    "contacto",
    "contato",
    "customerservice",
    "enquiries",
    "financeiro",
    "finance",
    "hello",
    "help",
    "helpdesk",
    "hostmaster",
    "hr",
    "info",
    "jobs",
    "kontakt",
    "mail",
    "marketing",
    "newsletter",
    "no-reply",
    "noreply",
    "office",
    "orders",
    "postmaster",
    "press",
    "reception",
    "root",
    "sales",
    "service",
    "support",
    "team",
    "vendas",
    "vertrieb",
    "webmaster",
];
const TESTS: [&str; 12] =
    ["test", "tester", "testing", "test1", "test123", "testuser", "asdf", "qwerty", "foo", "foobar", "dummy", "nobody"];
/// Second-level names and endings reserved for examples and tests (RFC 2606, RFC 6761).
const RESERVED: [&str; 4] = ["example", "test", "invalid", "localhost"];
/// Well-known providers of throw-away addresses, one a line.
const DISPOSABLE: &str = include_str!("disposable.txt");

/// The domains seen so far: most addresses share a few.
#[derive(Debug, Default)]
pub(crate) struct Domains {
    seen: HashMap<String, Verdict>,
}

/// So many domains are remembered.
const REMEMBERED: usize = 1 << 14;

impl Domains {
    /// Whether a text is written as an address.
    fn is_email(text: &str) -> bool {
        let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
        text.is_ascii() && !text.contains('"') && EmailAddress::parse_with_options(text, options).is_ok()
            || !text.is_ascii() && is_international(text)
    }

    /// What an address seems to be.
    pub(crate) fn verify(&mut self, text: &str) -> Verdict {
        if !Self::is_email(text) {
            return Verdict::Malformed;
        }
        let Some((local, domain)) = text.rsplit_once('@') else { return Verdict::Malformed };
        let local = local.to_ascii_lowercase();
        match self.domain(&domain.to_lowercase()) {
            Verdict::Fine if TESTS.contains(&local.as_str()) => Verdict::Test,
            Verdict::Fine if ROLES.contains(&local.as_str()) => Verdict::Role,
            verdict => verdict,
        }
    }

    fn domain(&mut self, domain: &str) -> Verdict {
        if let Some(known) = self.seen.get(domain) {
            return *known;
        }
        let verdict = of_domain(domain);
        if self.seen.len() < REMEMBERED {
            self.seen.insert(domain.to_owned(), verdict);
        }
        verdict
    }
}

/// Letters of any script before and after the `@` (RFC 6531).
fn is_international(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_letter = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    !local.is_empty()
        && local.len() <= 64
        && local.chars().all(is_letter)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && domain.contains('.')
}

fn of_domain(domain: &str) -> Verdict {
    let Ok(ascii) = idna::domain_to_ascii_strict(domain) else { return Verdict::NoSuchDomain };
    let labels: Vec<&str> = ascii.split('.').collect();
    let [.., name, ending] = labels.as_slice() else { return Verdict::NoSuchDomain };
    if RESERVED.contains(ending) || *name == "example" {
        return Verdict::Test;
    }
    if let Some(meant) = slip(&ascii) {
        return Verdict::Typo(meant);
    }
    let is_known = psl::suffix(ascii.as_bytes()).is_some_and(|suffix| suffix.is_known());
    if !is_known || psl::domain_str(&ascii).is_none() || ascii.len() > 253 {
        return Verdict::NoSuchDomain;
    }
    if DISPOSABLE.lines().any(|line| line == ascii || psl::domain_str(&ascii) == Some(line)) {
        return Verdict::Disposable;
    }
    Verdict::Fine
}

/// The well-known domain that was meant by one that is a slip away: a letter too many, too few, another, or two swapped.
fn slip(domain: &str) -> Option<&'static str> {
    if PROVIDERS.contains(&domain) || NEIGHBOURS.contains(&domain) {
        return None;
    }
    if let Some((name, ending)) = domain.rsplit_once('.')
        && NOT_COM.contains(&ending)
    {
        return Some(PROVIDERS.into_iter().find(|known| known.strip_suffix(".com") == Some(name)).unwrap_or(".com"));
    }
    PROVIDERS.into_iter().find(|known| known.len() >= 8 && strsim::osa_distance(domain, known) == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_judged_by_its_letters() {
        let mut domains = Domains::default();
        for (address, verdict) in [
            ("jane.doe@gmail.com", Verdict::Fine),
            ("j+news@shop.co.uk", Verdict::Fine),
            ("Jane@MÜLLER.de", Verdict::Fine),
            ("o'neil@mail.com", Verdict::Fine),
            ("jane@gmial.com", Verdict::Typo("gmail.com")),
            ("jane@gmail.con", Verdict::Typo("gmail.com")),
            ("jane@gmail.co", Verdict::Typo("gmail.com")),
            ("jane@hotnail.com", Verdict::Typo("hotmail.com")),
            ("jane@yaho.com", Verdict::Typo("yahoo.com")),
            ("jane@shop.con", Verdict::Typo(".com")),
            ("jane@ymail.com", Verdict::Fine),
            ("jane", Verdict::Malformed),
            ("jane@", Verdict::Malformed),
            ("@shop.com", Verdict::Malformed),
            ("jane doe@shop.com", Verdict::Malformed),
            ("jane..doe@shop.com", Verdict::Malformed),
            ("jane@shop", Verdict::Malformed),
            ("jane@shop@shop.com", Verdict::Malformed),
            ("jane@shop.nosuchending", Verdict::NoSuchDomain),
            ("jane@-shop.com", Verdict::Malformed),
            ("jane@co.uk", Verdict::NoSuchDomain),
            ("info@shop.com", Verdict::Role),
            ("no-reply@shop.com", Verdict::Role),
            ("x1@mailinator.com", Verdict::Disposable),
            ("jane@example.com", Verdict::Test),
            ("jane@shop.test", Verdict::Test),
            ("test@shop.com", Verdict::Test),
        ] {
            assert_eq!(domains.verify(address), verdict, "{address}");
        }
    }

    #[test]
    fn no_real_provider_is_a_slip_of_another() {
        let mut domains = Domains::default();
        for domain in [
            "gmx.de",
            "gmx.net",
            "gmx.at",
            "web.de",
            "aol.com",
            "me.com",
            "mac.com",
            "msn.com",
            "live.nl",
            "live.fr",
            "hotmail.de",
            "hotmail.es",
            "hotmail.it",
            "yahoo.de",
            "yahoo.es",
            "yahoo.in",
            "yahoo.ca",
            "outlook.de",
            "outlook.fr",
            "outlook.es",
            "icloud.com",
            "proton.me",
            "laposte.net",
            "free.fr",
            "sfr.fr",
            "bol.com.br",
            "terra.com.br",
            "ig.com.br",
            "rediffmail.com",
            "mail.ru",
            "yandex.ru",
            "qq.com",
            "163.com",
            "naver.com",
            "btinternet.com",
            "sky.com",
            "att.net",
            "cox.net",
            "bigpond.com",
            "rocketmail.com",
            "zoho.com",
            "fastmail.com",
        ] {
            assert_eq!(domains.verify(&format!("jane@{domain}")), Verdict::Fine, "{domain}");
        }
    }
}
