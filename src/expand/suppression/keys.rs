//! What a list's entry and a person have in common when the entry means the person: keyed hashes of every form in
//! which either can be written.
//!
//! Two international numbers are the same only if all digits are. A number without its country code could be that of
//! any country, so it also matches a number that equals it after the country code. Rather one person too few is
//! reached than one who asked not to be.

use sha2::{Digest as _, Sha256};

use crate::expand::contact::{Contacts, Role};
use crate::expand::normalise::{
    cleaned, dialled, dialled_forms, dialled_forms_if_international, e164, is_nothing, mailbox,
};

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

    /// The keys under which the contacts of someone whose id is on a list stand on it too.
    pub(super) fn of_entries(&self, contacts: &Contacts, row: usize, add: &mut impl FnMut(Key)) {
        for text in personal(contacts, row) {
            self.of_entry(text, contacts.country(row), add);
        }
    }

    /// The keys of an entry of a list.
    pub(super) fn of_entry(&self, text: &str, country: Option<&str>, add: &mut impl FnMut(Key)) {
        let text = cleaned(text);
        if is_nothing(&text) {
            return;
        }
        if let Some(mailbox) = mailbox(&text) {
            return add(self.key(Form::Mailbox, &mailbox));
        }
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return add(self.key(Form::Sha256, &text.to_lowercase()));
        }
        add(self.key(Form::Other, &text.to_lowercase()));
        let Some(phone) = Phone::of(&text, country) else { return };
        if let Some([international, bare, dialled]) = &phone.forms {
            add(self.key(Form::International, international));
            add(self.key(Form::NationalOfInternational, bare));
            add(self.key(Form::NationalOfInternational, dialled));
        }
        phone.raw().for_each(|(form, digits)| add(self.key(form, digits)));
    }

    /// The keys of a person's contact columns in one attribute row.
    pub(super) fn of_contacts(&self, contacts: &Contacts, row: usize, hashed: bool, add: &mut impl FnMut(Key)) {
        for text in personal(contacts, row) {
            self.of_contact(text, contacts.country(row), hashed, add);
        }
    }

    /// The keys of one contact of a person.
    pub(super) fn of_contact(&self, text: &str, country: Option<&str>, hashed: bool, add: &mut impl FnMut(Key)) {
        let text = cleaned(text);
        if is_nothing(&text) {
            return;
        }
        if hashed {
            hashes(&text, country).for_each(|hash| add(self.key(Form::Sha256, &hash)));
        }
        if let Some(mailbox) = mailbox(&text) {
            return add(self.key(Form::Mailbox, &mailbox));
        }
        add(self.key(Form::Other, &text.to_lowercase()));
        let Some(phone) = Phone::of(&text, country) else { return };
        if let Some([international, bare, dialled]) = &phone.forms {
            add(self.key(Form::International, international));
            add(self.key(Form::National, bare));
            add(self.key(Form::National, dialled));
        }
        if !phone.is_sure {
            add(self.key(Form::NationalOfInternational, &phone.digits));
            add(self.key(Form::NationalOfInternational, phone.digits.trim_start_matches('0')));
        }
        phone.raw().for_each(|(form, digits)| add(self.key(form, digits)));
    }
}

/// The contacts that are one person's alone: not the name, the town or the postcode, which many share.
fn personal(contacts: &Contacts, row: usize) -> impl Iterator<Item = &str> {
    let columns = contacts.columns.iter();
    let personal = columns.filter(|column| matches!(column.role, Role::Email | Role::Phone | Role::Other));
    personal.filter_map(move |column| column.values.get(row))
}

/// A text that could be a telephone number.
struct Phone {
    digits: String,
    is_international: bool,
    /// Whether the country is known, rather than guessed or not known at all.
    is_sure: bool,
    /// International, national, and national as dialled; when the country is known or could be.
    forms: Option<[String; 3]>,
}

impl Phone {
    fn of(text: &str, country: Option<&str>) -> Option<Self> {
        let (number, is_international) = dialled(text);
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let is_one_digit = digits.bytes().all(|byte| byte == digits.as_bytes()[0]);
        let dialable =
            |c: char| c.is_ascii_digit() || c.is_whitespace() || "+()-./xextn#\u{2010}\u{2011}\u{2013}".contains(c);
        if !(7..=20).contains(&digits.len()) || is_one_digit || !number.to_lowercase().chars().all(dialable) {
            return None;
        }
        let known = if is_international || country.is_some() { dialled_forms(text, country) } else { None };
        let is_sure = known.is_some();
        let forms = known.or_else(|| dialled_forms_if_international(&digits));
        Some(Self { digits, is_international, is_sure, forms })
    }

    /// The digits as they stand: those of an international number, or of one that may be either.
    fn raw(&self) -> impl Iterator<Item = (Form, &str)> {
        let bare = self.digits.trim_start_matches('0');
        let abroad = self.digits.strip_prefix("011").unwrap_or(bare);
        let national = [(Form::National, self.digits.as_str()), (Form::National, bare)];
        [(Form::International, bare), (Form::International, abroad)]
            .into_iter()
            .chain(national.into_iter().filter(|_| !self.is_international))
    }
}

/// The SHA-256 of a contact in the forms that destinations hash.
fn hashes(text: &str, country: Option<&str>) -> impl Iterator<Item = String> {
    let lower = text.to_lowercase();
    let number = e164(text, country).ok();
    let digits = number.as_ref().map(|number| number.trim_start_matches('+').to_owned());
    let forms = [Some(text.to_owned()), Some(lower.clone()), mailbox(&lower), number, digits];
    forms.into_iter().flatten().map(|form| hex(&Sha256::digest(form.as_bytes())))
}

/// Lower-case hexadecimal.
pub(in crate::expand) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
