//! The seal of a bundle's file: a checksum of everything in it, so that whatever became of the file on its way is noticed.
//!
//! A sealed file is one JSON object. It begins, to the byte, with `{"format_version":3,"checksum":"…",` where the checksum is
//! BLAKE3 of the file without its 64 digits, in lower-case hexadecimal. A file that was cut, extended or changed in a single
//! place does not open. The seal is against accidents: who changes a model on purpose can seal it again, so what
//! is in the file is checked as if it had none.

use crate::error::{Error, Result};

/// Digits of the checksum.
const DIGITS: usize = 64;

fn head(format: u32) -> String {
    format!("{{\"format_version\":{format},\"checksum\":\"")
}

/// The bytes of a JSON object that begins with its `format_version`, sealed.
///
/// # Errors
/// When the object begins otherwise.
pub fn seal(format: u32, object: &[u8]) -> Result<Vec<u8>> {
    let plain = format!("{{\"format_version\":{format},");
    let rest = object.strip_prefix(plain.as_bytes());
    let rest = rest.ok_or_else(|| Error::internal("the bundle does not begin with its format"))?;
    let mut sealed = head(format).into_bytes();
    let digits = sealed.len();
    sealed.extend_from_slice(b"\",");
    sealed.extend_from_slice(rest);
    let checksum = blake3::hash(&sealed).to_hex();
    sealed.splice(digits..digits, checksum.bytes());
    Ok(sealed)
}

/// Whether the seal of a file is whole.
#[must_use]
pub fn is_whole(format: u32, sealed: &[u8]) -> bool {
    let head = head(format);
    let parts =
        sealed.split_at_checked(head.len()).and_then(|(start, rest)| Some((start, rest.split_at_checked(DIGITS)?)));
    let Some((start, (digits, rest))) = parts else { return false };
    let checksum = blake3::Hasher::new().update(start).update(rest).finalize().to_hex();
    start == head.as_bytes() && digits == checksum.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_notices_every_byte() {
        let sealed = seal(3, b"{\"format_version\":3,\"a\":[1,2]}\n").unwrap();
        assert!(is_whole(3, &sealed) && !is_whole(2, &sealed));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(!is_whole(3, &changed) && !is_whole(3, &sealed[..at]), "byte {at}");
        }
        assert!(!is_whole(3, &[sealed.as_slice(), b" "].concat()));
        let _: serde_json::Value = serde_json::from_slice(&sealed).unwrap();
    }
}
