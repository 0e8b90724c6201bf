//! Contacts that are known by their SHA-256: how such a hash is written, and which texts of one contact are hashed.
//!
//! Destinations hash without salt, each after rules of its own, and write hexadecimal; Google's API takes Base64 too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::normalise::cleaned;
use super::phone;

/// A SHA-256.
pub(super) type Hash = [u8; 32];

/// SHA-256 of nothing: it matches nobody, and everybody without a value has it.
pub(super) const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// How many characters a hash has at least: as Base64 without the sign at its end.
pub(super) const SHORTEST: usize = 43;

pub(super) fn of(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

/// The hash that a text is, as a whole: a text that only contains 64 hexadecimal digits is none.
pub(super) fn read(text: &str) -> Option<Hash> {
    if text.len() < SHORTEST {
        return None;
    }
    let text = cleaned(text);
    let mut hash = Hash::default();
    if text.len() == 2 * hash.len() {
        return hex::decode_to_slice(text.as_bytes(), &mut hash).ok().map(|()| hash);
    }
    let base64 = text.strip_suffix('=').unwrap_or(&text);
    (base64.len() == SHORTEST).then(|| STANDARD_NO_PAD.decode(base64).ok()?.try_into().ok()).flatten()
}

/// Puts a hash into `text` as destinations want it: lower-case hexadecimal.
pub(super) fn write(hash: &Hash, text: &mut String) {
    let mut digits = [0; 64];
    hex::encode_to_slice(hash, &mut digits).expect("there are two digits for each byte");
    text.clear();
    text.push_str(std::str::from_utf8(&digits).expect("digits are ASCII"));
}

/// Gives `take` the texts of an e-mail address of which a list may hold the SHA-256: as it stands, as its `mailbox`, and as the
/// destinations write it before they hash it. The same text may come twice.
pub(super) fn texts_of_email(text: &str, mailbox: &str, take: &mut dyn FnMut(&str)) {
    take(text);
    let mut lower = text.to_lowercase();
    lower.retain(|c| !c.is_whitespace());
    if lower != text {
        take(&lower);
    }
    if mailbox != lower {
        take(mailbox);
    }
    let Some((user, domain)) = lower.rsplit_once('@').filter(|(user, _)| user.contains(['.', '+'])) else { return };
    let no_tag = user.split('+').next().unwrap_or(user);
    for user in std::iter::once(user).chain(Some(no_tag).filter(|no_tag| *no_tag != user)) {
        let no_dots = format!("{}@{domain}", user.replace('.', ""));
        if no_dots != mailbox {
            take(&no_dots);
        }
    }
}

/// As [`texts_of_email`], of any other contact, with what it is as a telephone `number` in E.164: that with and without its plus
/// sign, and the digits that are dialled at home.
pub(super) fn texts_of_other(text: &str, number: Option<&str>, take: &mut dyn FnMut(&str)) {
    take(text);
    let Some(number) = number else {
        let plain = text.trim_start_matches('@').to_lowercase();
        if plain != text {
            take(&plain);
        }
        if let Some(dialled) = phone::Dialled::of(text) {
            texts_of_number(&format!("+{}", dialled.digits), take);
        }
        return;
    };
    texts_of_number(number, take);
    // What begins with its country's code may be an international number without its plus sign: 4915… in Germany is either.
    let code = phone::at_home(&number[1..]).map_or("", |home| &number[1..=home.n_code]);
    let begins_so = text.bytes().filter(u8::is_ascii_digit).take(code.len()).eq(code.bytes());
    if begins_so && let Some(dialled) = phone::Dialled::of(text).filter(|dialled| dialled.digits != number[1..]) {
        texts_of_number(&format!("+{}", dialled.digits), take);
    }
}

fn texts_of_number(number: &str, take: &mut dyn FnMut(&str)) {
    take(number);
    let digits = number.trim_start_matches('+');
    take(digits);
    let Some(home) = phone::at_home(digits) else { return };
    let national = &digits[home.n_code..];
    take(national);
    let dialled = format!("{}{national}", home.prefix);
    if dialled != national && dialled != digits {
        take(&dialled);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        // X's published vector, and the same by `openssl dgst -sha256 -binary | base64`.
        let hash = of("adsapi");
        let hex = "49e0be2aeccfb51a8dee4c945c8a70a9ac500cf6f5cb08112575f74db9b1470d";
        assert_eq!(read(hex), Some(hash));
        assert_eq!(read(&format!(" {}\n", hex.to_uppercase())), Some(hash));
        assert_eq!(read("SeC+KuzPtRqN7kyUXIpwqaxQDPb1ywgRJXX3TbmxRw0="), Some(hash));
        assert_eq!(read("SeC+KuzPtRqN7kyUXIpwqaxQDPb1ywgRJXX3TbmxRw0"), Some(hash));
        let mut written = String::new();
        write(&hash, &mut written);
        assert_eq!(written, hex);
        for text in [
            "",
            &hex[1..],
            &format!("{hex}0"),
            &hex.replace('e', "g"),
            // Bits that stand for nothing are set.
            "SeC+KuzPtRqN7kyUXIpwqaxQDPb1ywgRJXX3TbmxRw1=",
            "SeC+KuzPtRqN7kyUXIpwqaxQDPb1ywgRJXX3TbmxRw0==",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn one_contact_is_hashed_in_many_forms() {
        let of_email = |text: &str, mailbox: &str| {
            let mut texts = Vec::new();
            texts_of_email(text, mailbox, &mut |text| texts.push(text.to_owned()));
            texts
        };
        let of_other = |text: &str, number: Option<&str>| {
            let mut texts = Vec::new();
            texts_of_other(text, number, &mut |text| texts.push(text.to_owned()));
            texts
        };
        assert_eq!(
            of_email("Jane.Doe+x@gmail.com", "janedoe@gmail.com"),
            ["Jane.Doe+x@gmail.com", "jane.doe+x@gmail.com", "janedoe@gmail.com", "janedoe+x@gmail.com"]
        );
        assert_eq!(of_email("j.d+x@x.co", "j.d+x@x.co"), ["j.d+x@x.co", "jd+x@x.co", "jd@x.co"]);
        assert_eq!(of_email("jane@x.co", "jane@x.co"), ["jane@x.co"]);
        assert_eq!(
            of_other("0151 23456789", Some("+4915123456789")),
            ["0151 23456789", "+4915123456789", "4915123456789", "15123456789", "015123456789"]
        );
        let either = of_other("4915123456789", Some("+494915123456789"));
        for text in ["4915123456789", "+4915123456789", "015123456789", "+494915123456789", "04915123456789"] {
            assert!(either.contains(&text.to_owned()), "{text}");
        }
        assert!(of_other("(800) 555-0100", None).contains(&"8005550100".to_owned()));
        assert_eq!(of_other("@Jane", None), ["@Jane", "jane"]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,70}", plain in "[A-Za-z0-9+/=]{40,68}") {
            for text in [&text, &plain] {
                if let Some(hash) = read(text) {
                    let mut written = String::new();
                    write(&hash, &mut written);
                    prop_assert_eq!(read(&written), Some(hash));
                }
                texts_of_email(text, text, &mut |_| {});
                texts_of_other(text, None, &mut |_| {});
                texts_of_other(text, Some("+4915123456789"), &mut |_| {});
            }
        }
    }
}
