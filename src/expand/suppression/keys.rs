//! What a list's entry and a person have in common when the entry means the person: keyed hashes of every form in
//! which either can be written.
//!
//! Two international numbers are the same only if all digits are. A number without its country code could be that of
//! any country, so it also matches a number that equals it after the country code. Rather one person too few is
//! reached than one who asked not to be.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::expand::contact::{ContactColumn, Contacts, Role};
use crate::expand::hashes;
use crate::expand::normalise::{cleaned, is_nothing, mailbox};
use crate::expand::phone::{Dialled, at_home, e164};
use crate::expand::suppression::list::Meaning;

/// Makes keys that say nothing about the person to anyone without the project's seed: for each form with a key of its own.
pub(super) struct Keyed([[u8; 32]; Form::ALL.len()]);

/// 128 bits of a keyed hash: among a billion of them, two are the same by chance once in 10²⁰ projects.
pub(super) type Key = u128;

/// The forms that are compared with each other, each only with its own kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An id as it stands.
    Id,
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
    /// Any other contact: a handle, a device.
    Other,
    /// A SHA-256 of an e-mail address.
    HashOfEmail,
    /// A SHA-256 of a number or another contact.
    HashOfOther,
}

impl Form {
    const ALL: [Self; 9] = [
        Self::Id,
        Self::LooseId,
        Self::Mailbox,
        Self::International,
        Self::National,
        Self::NationalOfInternational,
        Self::Other,
        Self::HashOfEmail,
        Self::HashOfOther,
    ];
}

impl Keyed {
    pub(super) fn new(seed: u64) -> Self {
        let key = |form: Form| {
            let mut words = seed.to_le_bytes().to_vec();
            words.push(form as u8);
            blake3::derive_key("clo suppression 2026", &words)
        };
        Self(Form::ALL.map(key))
    }

    fn key(&self, form: Form, text: &str) -> Key {
        self.key_of_bytes(form, text.as_bytes())
    }

    fn key_of_bytes(&self, form: Form, bytes: &[u8]) -> Key {
        let hash = blake3::keyed_hash(&self.0[form as usize], bytes);
        Key::from_be_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
    }

    /// Adds an id to a list.
    pub(super) fn of_id(&self, id: &str, keys: &mut ListKeys) {
        keys.add(Form::Id, self.id(id));
    }

    fn id(&self, id: &str) -> Key {
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
            self.of_entry(text, (Meaning::Any, contacts.country(row)), keys);
        }
    }

    /// Adds an entry that is a contact of someone, in a column of that meaning, of someone in that country.
    pub(super) fn of_entry(&self, text: &str, (meaning, country): (Meaning, Option<&str>), keys: &mut ListKeys) {
        let text = cleaned(text);
        if is_nothing(&text) {
            return;
        }
        if let Some(hash) = hashes::read(&text) {
            keys.add(Form::HashOfEmail, self.key_of_bytes(Form::HashOfEmail, &hash));
            // Where a column holds addresses alone, nobody's number need be hashed to look for it.
            if meaning != Meaning::Email {
                keys.add(Form::HashOfOther, self.key_of_bytes(Form::HashOfOther, &hash));
            }
            return;
        }
        let mailbox = mailbox(&text);
        if keys.with_hashes {
            self.of_hashes(&text, mailbox.as_deref(), &|| e164(&text, country).ok(), &mut |key| {
                keys.keys.insert(key);
            });
        }
        if let Some(mailbox) = mailbox {
            keys.add(Form::Mailbox, self.key(Form::Mailbox, &mailbox));
            return;
        }
        keys.add(Form::Other, self.key(Form::Other, &plain(&text)));
        let Some(phone) = Dialled::of(&text).map(|dialled| Phone::new(dialled, country)) else { return };
        let mut add = |form, digits: &str| {
            keys.wanted.endings.extend(ending(digits).map(str::to_owned));
            keys.add(form, self.key(form, digits));
        };
        for [international, bare, trunk] in &phone.forms {
            add(Form::International, international);
            add(Form::NationalOfInternational, bare);
            add(Form::NationalOfInternational, trunk);
        }
        phone.raw().for_each(|(form, digits)| add(form, digits));
    }

    /// Gives `take` the keys of the SHA-256 of a contact in all forms in which it may have been hashed. An address is no number.
    fn of_hashes(
        &self,
        text: &str,
        mailbox: Option<&str>,
        number: &dyn Fn() -> Option<String>,
        take: &mut dyn FnMut(Key),
    ) {
        match mailbox {
            Some(mailbox) => hashes::texts_of_email(text, mailbox, &mut |text| {
                take(self.key_of_bytes(Form::HashOfEmail, &hashes::of(text)));
            }),
            None => hashes::texts_of_other(text, number().as_deref(), &mut |text| {
                take(self.key_of_bytes(Form::HashOfOther, &hashes::of(text)));
            }),
        }
    }

    /// The keys of a person's id, as far as `wanted` lists could hold them.
    pub(super) fn of_person(&self, id: &str, wanted: &Wanted, keys: &mut Vec<Key>) {
        if wanted.has(Form::Id) {
            keys.push(self.id(id));
        }
        if wanted.has(Form::LooseId) {
            keys.push(self.loose_id(id));
        }
        // Where the id itself is an address or a number, so may the entry be.
        if id.contains('@') || id.starts_with('+') {
            self.of_text(id, None, &|| e164(id, None).ok(), wanted, keys);
        }
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
        if let Some(hash) = hashes::read(&text) {
            keys.extend([Form::HashOfEmail, Form::HashOfOther].map(|form| self.key_of_bytes(form, &hash)));
            return;
        }
        let mailbox = mailbox(&text);
        if wanted.has(if mailbox.is_some() { Form::HashOfEmail } else { Form::HashOfOther }) {
            self.of_hashes(&text, mailbox.as_deref(), number, &mut |key| keys.push(key));
        }
        if let Some(mailbox) = mailbox {
            if wanted.has(Form::Mailbox) {
                keys.push(self.key(Form::Mailbox, &mailbox));
            }
            return;
        }
        if wanted.has(Form::Other) {
            keys.push(self.key(Form::Other, &plain(&text)));
        }
        if wanted.endings.is_empty() {
            return;
        }
        let Some(dialled) = Dialled::of(&text).filter(|dialled| wanted.could_hold(dialled, &text)) else { return };
        let phone = Phone::new(dialled, country);
        for [international, bare, trunk] in &phone.forms {
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
}

/// In lower case, a name on X without its sign.
fn plain(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('@').unwrap_or(text);
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { text.into() } else { text.to_lowercase().into() }
}

/// The keys of a list's entries.
#[derive(Debug, Default)]
pub(super) struct ListKeys {
    pub keys: HashSet<Key>,
    pub wanted: Wanted,
    /// Whether people's contacts may be hashes themselves, so that those of the entries are needed.
    pub with_hashes: bool,
}

impl ListKeys {
    /// Adds ids that nobody has exactly so.
    pub(super) fn add_loose(&mut self, ids: HashSet<Key>) {
        self.wanted.forms |= u16::from(!ids.is_empty()) << Form::LooseId as u8;
        self.keys.extend(ids);
    }

    fn add(&mut self, form: Form, key: Key) {
        self.keys.insert(key);
        self.wanted.forms |= 1 << form as u8;
    }
}

/// What any list holds: forms of a person that none does need not be made.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// A bit for each form.
    forms: u16,
    /// How the telephone numbers end.
    endings: HashSet<String>,
}

impl Wanted {
    /// Takes in what another list holds.
    pub(super) fn extend(&mut self, other: Self) {
        self.forms |= other.forms;
        self.endings.extend(other.endings);
    }

    /// Whether any list holds entries of a form.
    pub(super) fn has(&self, form: Form) -> bool {
        self.forms & 1 << form as u8 != 0
    }

    /// Whether any list holds more than ids.
    pub(super) fn has_contacts(&self) -> bool {
        self.forms & !(1 << Form::Id as u8 | 1 << Form::LooseId as u8) != 0
    }

    /// Whether a number may be on a list: none has another number's ending. With an extension after it, all may be.
    fn could_hold(&self, dialled: &Dialled, text: &str) -> bool {
        let is_plain = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic() && byte != b'#');
        !is_plain || ending(&dialled.digits).is_some_and(|ending| self.endings.contains(ending))
    }
}

/// The contacts that are one person's alone: not the name, the town or the postcode, which many share.
fn personal(contacts: &Contacts, row: usize) -> impl Iterator<Item = &str> {
    personal_columns(contacts, row).map(|(_, text)| text)
}

fn personal_columns(contacts: &Contacts, row: usize) -> impl Iterator<Item = (&ContactColumn, &str)> {
    let columns = contacts.columns.iter();
    let is_personal = |role| matches!(role, Role::Email | Role::Phone | Role::Device | Role::Handle | Role::Other);
    let personal = columns.filter(move |column| is_personal(column.role));
    personal.filter_map(move |column| Some((column, contacts.text(column, row)?)))
}

/// A text that could be a telephone number, in the forms that are compared.
struct Phone {
    dialled: Dialled,
    /// Whether the country is known, rather than guessed or not known at all.
    is_sure: bool,
    /// International, national, and national with trunk prefix, for each number that it can be.
    forms: Vec<[String; 3]>,
}

impl Phone {
    fn new(dialled: Dialled, country: Option<&str>) -> Self {
        let known = dialled.forms(country);
        // In Germany 4915… can be a number of a town there, or an international one without its plus sign.
        let may_be_international = known.as_ref().is_none_or(|[number, ..]| {
            let code = at_home(number).map_or("", |home| &number[..home.n_code]);
            !dialled.is_international && dialled.digits.starts_with(code)
        });
        let international = may_be_international.then(|| dialled.forms_if_international()).flatten();
        Self { is_sure: known.is_some(), forms: known.into_iter().chain(international).collect(), dialled }
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
