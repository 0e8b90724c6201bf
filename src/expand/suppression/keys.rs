//! What a list's entry and a person have in common when the entry means the person: keyed hashes of every form in
//! which either can be written.
//!
//! Two international numbers are the same only if all digits are. A number without its country code could be that of
//! any country, so it also matches a number that equals it after the country code. Rather one person too few is
//! reached than one who asked not to be.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use crate::expand::contact::{ContactColumn, Contacts, Role};
use crate::expand::normalise::{cleaned, is_nothing, mailbox};
use crate::expand::phone::{Dialled, e164};

/// Makes keys that say nothing about the person to anyone without the project's seed.
pub(super) struct Keyed([u8; 32]);

/// 128 bits of a keyed hash: among a billion of them, two are the same by chance once in 10²⁰ projects.
pub(super) type Key = u128;

/// The forms that are compared with each other, each only with its own kind.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// An id as it stands.
    Id = 1,
    /// An id without what spreadsheets do to it: case, leading zeros, a fraction of zero.
    LooseId,
    /// The mailbox of an e-mail address.
    Mailbox,
    /// All digits of a telephone number, country code first.
    International,
    /// The digits of a number that does not tell its country.
    National,
    /// The national digits of a number on a list that does tell its country.
    NationalOfInternational,
    /// A SHA-256 of an address or a number.
    Sha256,
    /// Any other contact: a handle, a device.
    Other,
}

impl Keyed {
    pub(super) fn new(seed: u64) -> Self {
        Self(blake3::derive_key("clo suppression 2026", &seed.to_le_bytes()))
    }

    pub(super) fn key(&self, form: Form, text: &str) -> Key {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&[form as u8]).update(text.as_bytes());
        let hash = hasher.finalize();
        let bytes = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
        u128::from_le_bytes(*bytes)
    }

    pub(super) fn id(&self, id: &str) -> Key {
        self.key(Form::Id, &cleaned(id))
    }

    /// Ids that differ only by what spreadsheets do to ids are alike.
    pub(super) fn loose_id(&self, id: &str) -> Key {
        let id = cleaned(id).trim_start_matches('\'').to_lowercase();
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let whole = id.split_once('.').filter(|(whole, zeros)| is_number(whole) && zeros.bytes().all(|b| b == b'0'));
        let id = whole.map_or(id.as_str(), |(whole, _)| whole);
        self.key(Form::LooseId, if is_number(id) { id.trim_start_matches('0') } else { id })
    }

    /// Adds the contacts of someone whose id is on a list to the list.
    pub(super) fn of_entries(&self, contacts: &Contacts, row: usize, keys: &mut ListKeys) {
        for text in personal(contacts, row) {
            self.of_entry(text, contacts.country(row), keys);
        }
    }

    /// Adds an entry that is a contact of someone.
    pub(super) fn of_entry(&self, text: &str, country: Option<&str>, keys: &mut ListKeys) {
        let text = cleaned(text);
        if is_nothing(&text) {
            return;
        }
        if let Some(mailbox) = mailbox(&text) {
            keys.keys.insert(self.key(Form::Mailbox, &mailbox));
            return;
        }
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            keys.keys.insert(self.key(Form::Sha256, &text.to_lowercase()));
            return;
        }
        keys.keys.insert(self.key(Form::Other, &text.to_lowercase()));
        let Some(phone) = Dialled::of(&text).map(|dialled| Phone::new(dialled, country)) else { return };
        let mut add = |form, digits: &str| {
            keys.endings.extend(ending(digits).map(str::to_owned));
            keys.keys.insert(self.key(form, digits));
        };
        if let Some([international, bare, trunk]) = &phone.forms {
            add(Form::International, international);
            add(Form::NationalOfInternational, bare);
            add(Form::NationalOfInternational, trunk);
        }
        phone.raw().for_each(|(form, digits)| add(form, digits));
    }

    /// The keys of a person's contact columns in one attribute row, as far as `wanted` lists could hold them.
    pub(super) fn of_contacts(&self, contacts: &Contacts, row: usize, wanted: &Wanted, keys: &mut Vec<Key>) {
        for (column, text) in personal_columns(contacts, row) {
            let country = contacts.country(row);
            let number = || match column.role {
                Role::Phone => contacts.e164(column, row).ok(),
                _ => e164(text, country).ok(),
            };
            self.of_text(text, country, &number, wanted, keys);
        }
    }

    /// The keys of one contact of a person.
    pub(super) fn of_contact(&self, text: &str, country: Option<&str>, wanted: &Wanted, keys: &mut Vec<Key>) {
        self.of_text(text, country, &|| e164(text, country).ok(), wanted, keys);
    }

    fn of_text(
        &self,
        text: &str,
        country: Option<&str>,
        number: &dyn Fn() -> Option<String>,
        wanted: &Wanted,
        keys: &mut Vec<Key>,
    ) {
        let text = cleaned(text);
        if is_nothing(&text) {
            return;
        }
        let mailbox = mailbox(&text);
        if wanted.has_hashes {
            keys.extend(self.of_hashes(&text, mailbox.as_deref(), number));
        }
        if let Some(mailbox) = mailbox {
            keys.push(self.key(Form::Mailbox, &mailbox));
            return;
        }
        keys.push(self.key(Form::Other, &text.to_lowercase()));
        let Some(dialled) = Dialled::of(&text).filter(|dialled| wanted.could_hold(dialled, &text)) else { return };
        let phone = Phone::new(dialled, country);
        if let Some([international, bare, trunk]) = &phone.forms {
            keys.push(self.key(Form::International, international));
            keys.push(self.key(Form::National, bare));
            keys.push(self.key(Form::National, trunk));
        }
        if !phone.is_sure {
            let digits = &phone.dialled.digits;
            keys.push(self.key(Form::NationalOfInternational, digits));
            keys.push(self.key(Form::NationalOfInternational, digits.trim_start_matches('0')));
        }
        keys.extend(phone.raw().map(|(form, digits)| self.key(form, digits)));
    }

    /// The keys of the SHA-256 of a contact in the forms that destinations hash. An address is no number.
    fn of_hashes(&self, text: &str, mailbox: Option<&str>, number: &dyn Fn() -> Option<String>) -> Vec<Key> {
        let lower = text.to_lowercase();
        let number = if mailbox.is_none() { number() } else { None };
        let digits = number.as_deref().map(|number| number.trim_start_matches('+'));
        let mut forms: Vec<&str> =
            [Some(text), Some(&lower), mailbox, number.as_deref(), digits].into_iter().flatten().collect();
        forms.sort_unstable();
        forms.dedup();
        forms.into_iter().map(|form| self.key(Form::Sha256, &hex(&Sha256::digest(form.as_bytes())))).collect()
    }
}

/// The keys of a list's entries.
#[derive(Debug, Default)]
pub(super) struct ListKeys {
    pub keys: HashSet<Key>,
    /// How its telephone numbers end.
    pub endings: HashSet<String>,
}

/// What any list holds: forms of a person that none does need not be made.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Whether any entry is a hash.
    pub has_hashes: bool,
    /// Whether any id is on a list that nobody has exactly so.
    pub has_loose_ids: bool,
    /// How the telephone numbers end.
    pub endings: HashSet<String>,
}

impl Wanted {
    /// Whether a number may be on a list: none has another number's ending. With an extension after it, all may be.
    fn could_hold(&self, dialled: &Dialled, text: &str) -> bool {
        let is_plain = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic() && byte != b'#');
        !self.endings.is_empty()
            && (!is_plain || ending(&dialled.digits).is_some_and(|ending| self.endings.contains(ending)))
    }
}

/// The contacts that are one person's alone: not the name, the town or the postcode, which many share.
fn personal(contacts: &Contacts, row: usize) -> impl Iterator<Item = &str> {
    personal_columns(contacts, row).map(|(_, text)| text)
}

fn personal_columns(contacts: &Contacts, row: usize) -> impl Iterator<Item = (&ContactColumn, &str)> {
    let columns = contacts.columns.iter();
    let personal =
        columns.filter(|column| matches!(column.role, Role::Email | Role::Phone | Role::Device | Role::Other));
    personal.filter_map(move |column| Some((column, column.values.get(row)?)))
}

/// A text that could be a telephone number, in the forms that are compared.
struct Phone {
    dialled: Dialled,
    /// Whether the country is known, rather than guessed or not known at all.
    is_sure: bool,
    /// International, national, and national with trunk prefix; when the country is known or could be.
    forms: Option<[String; 3]>,
}

impl Phone {
    fn new(dialled: Dialled, country: Option<&str>) -> Self {
        let known = dialled.forms(country);
        let is_sure = known.is_some();
        let forms = known.or_else(|| dialled.forms_if_international());
        Self { dialled, is_sure, forms }
    }

    /// The digits as they stand: those of an international number, or of one that may be either.
    fn raw(&self) -> impl Iterator<Item = (Form, &str)> {
        let digits = self.dialled.digits.as_str();
        let bare = digits.trim_start_matches('0');
        let abroad = digits.strip_prefix("011").unwrap_or(bare);
        let national = [(Form::National, digits), (Form::National, bare)].into_iter();
        let national = national.filter(|_| !self.dialled.is_international);
        [(Form::International, bare), (Form::International, abroad)].into_iter().chain(national)
    }
}

/// The last five digits, which all forms of a number have in common.
fn ending(digits: &str) -> Option<&str> {
    digits.len().checked_sub(5).map(|from| &digits[from..])
}

/// Lower-case hexadecimal.
pub(in crate::expand) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
