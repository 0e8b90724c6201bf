//! Contacts that are known by their SHA-256: how such a hash is written, and which texts of one contact are hashed.
//!
//! Destinations hash without salt, each after rules of its own, and write hexadecimal; Google's API takes Base64 too.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::normalise::{Step, apply, cleaned};
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

/// The texts of one contact of which a list may hold the SHA-256, each once: as it stands, as the destinations write it before
/// they hash it, and, of a telephone number, the digits that are dialled at home. `mailbox` is what it is as an address, `number`
/// what it is as a telephone number; an address is no number.
pub(super) fn texts<'t>(
    text: &'t str,
    mailbox: Option<&'t str>,
    number: &dyn Fn() -> Option<String>,
) -> Vec<Cow<'t, str>> {
    const WRITTEN: [&[Step]; 3] = [
        &[Step::NoSpace, Step::Lower],
        &[Step::NoSpace, Step::Lower, Step::GmailDots],
        &[Step::NoSpace, Step::Lower, Step::NoTag, Step::NoDots],
    ];
    let mut texts: Vec<Cow<'_, str>> = vec![text.into()];
    let mut add = |text: Cow<'t, str>| {
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    };
    if let Some(mailbox) = mailbox {
        add(mailbox.into());
        // The others are but the address in lower case when nothing is to be left out.
        let may_differ = text.rsplit_once('@').is_none_or(|(user, _)| user.contains(['.', '+']));
        let n_ways = if may_differ { WRITTEN.len() } else { 1 };
        for steps in &WRITTEN[..n_ways] {
            let mut written = String::new();
            if apply(steps, text, None, &mut written) == Ok(true) {
                add(written.into());
            }
        }
        return texts;
    }
    let number = number().map(|number| number.trim_start_matches('+').to_owned());
    // What begins with its country's code may be an international number without its plus sign: 4915… in Germany is either.
    let code = number.as_deref().and_then(|number| Some(&number[..phone::at_home(number)?.n_code]));
    let dialled = phone::Dialled::of(text).map(|dialled| dialled.digits);
    let dialled = dialled.filter(|digits| code.is_none_or(|code| digits.starts_with(code)));
    for digits in [number.clone(), dialled].into_iter().flatten() {
        add(format!("+{digits}").into());
        if let Some(home) = phone::at_home(&digits) {
            let national = &digits[home.n_code..];
            add(national.to_owned().into());
            add(format!("{}{national}", home.prefix).into());
        }
        add(digits.into());
    }
    add(text.trim_start_matches('@').to_lowercase().into());
    texts
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
        let number = |number: &'static str| move || Some(number.to_owned());
        assert_eq!(
            texts("Jane.Doe+x@gmail.com", Some("janedoe@gmail.com"), &|| None),
            ["Jane.Doe+x@gmail.com", "janedoe@gmail.com", "jane.doe+x@gmail.com", "janedoe+x@gmail.com"]
        );
        assert_eq!(texts("jane@x", Some("jane@x"), &|| None), ["jane@x"]);
        assert_eq!(
            texts("0151 23456789", None, &number("+4915123456789")),
            ["0151 23456789", "+4915123456789", "15123456789", "015123456789", "4915123456789"]
        );
        assert_eq!(
            texts("4915123456789", None, &number("+494915123456789")),
            [
                "4915123456789",
                "+494915123456789",
                "04915123456789",
                "494915123456789",
                "+4915123456789",
                "15123456789",
                "015123456789"
            ]
        );
        assert!(texts("(800) 555-0100", None, &|| None).contains(&"8005550100".into()));
        assert_eq!(texts("@Jane", None, &|| None), ["@Jane", "jane"]);
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
                texts(text, Some(text), &|| Some(text.clone()));
                texts(text, None, &|| Some(text.clone()));
            }
        }
    }
}
