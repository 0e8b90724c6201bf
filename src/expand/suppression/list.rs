//! A suppression list as a file: its bytes, its lines, the columns that say who is meant.
//!
//! Anything that could hide an entry (a binary file, ragged rows, a quote that is never closed, no telling column) is
//! refused: a list that is half understood would let people through. No error quotes a cell.

use std::io::Read as _;
use std::path::Path;

use crate::error::reason;
use crate::expand::contact::Role;
use crate::expand::normalise::is_email;
use crate::store;

/// What the entries of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Ids of people.
    Id,
    /// E-mail addresses or hashes of them.
    Email,
    /// Telephone numbers, addresses, or hashes of them.
    Contact,
    /// The column does not say: any of these.
    Any,
}

/// One column of a list: what it means, and its entries as they stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entries {
    pub meaning: Meaning,
    pub texts: Vec<String>,
}

/// A list that could be read whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    pub columns: Vec<Entries>,
    /// Rows below the header.
    pub n_rows: usize,
    /// BLAKE3 of the bytes, hex.
    pub blake3: String,
}

/// Why a list cannot be used, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub why: String,
    pub advice: &'static str,
}

type Outcome<T> = Result<T, Fault>;

fn fault<T>(why: impl Into<String>, advice: &'static str) -> Outcome<T> {
    Err(Fault { why: why.into(), advice })
}

/// Reads a list; `id_columns` are names of id columns beside the usual ones.
pub(super) fn read(path: &Path, id_columns: &[&str]) -> Outcome<File> {
    let bytes = match store::read_bytes(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            return fault(
                format!("it cannot be read: {}", reason(&error)),
                "put the file there, or mend its path in clo.toml; to leave it out, take it out there",
            );
        }
    };
    let blake3 = blake3::hash(&bytes).to_hex().to_string();
    let text = decoded(&unpacked(bytes)?)?;
    let (columns, n_rows) = columns(&text, id_columns)?;
    Ok(File { columns, n_rows, blake3 })
}

fn unpacked(bytes: Vec<u8>) -> Outcome<Vec<u8>> {
    const WHOLE: &str = "fetch the file again: it seems cut off";
    let mut plain = Vec::new();
    match bytes.get(..4) {
        Some([0x1f, 0x8b, ..]) => match flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain) {
            Ok(_) => Ok(plain),
            Err(_) => fault("its gzip data is damaged", WHOLE),
        },
        Some([0x28, 0xb5, 0x2f, 0xfd]) => match zstd::decode_all(bytes.as_slice()) {
            Ok(plain) => Ok(plain),
            Err(_) => fault("its zstd data is damaged", WHOLE),
        },
        Some(b"PK\x03\x04" | b"PAR1" | [0xd0, 0xcf, 0x11, 0xe0]) => {
            fault("it is a workbook, an archive or Parquet, not a text file", "save the list as CSV, one column")
        }
        _ => Ok(bytes),
    }
}

/// UTF-8 or UTF-16 as the byte order mark says, else UTF-8, else Windows-1252.
fn decoded(bytes: &[u8]) -> Outcome<String> {
    const PLAIN: &str = "save the list as a text file (CSV, UTF-8), one id, e-mail or phone a line";
    let (text, _, malformed) = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding.decode(bytes),
        None => match std::str::from_utf8(bytes) {
            Ok(text) => (text.into(), encoding_rs::UTF_8, false),
            Err(_) => encoding_rs::WINDOWS_1252.decode(bytes),
        },
    };
    let is_binary = |c: char| (c.is_control() && !matches!(c, '\t' | '\r' | '\n')) || c == '\u{fffd}';
    if malformed || text.chars().any(is_binary) {
        return fault("it is not a text file", PLAIN);
    }
    Ok(text.into_owned())
}

fn columns(text: &str, id_columns: &[&str]) -> Outcome<(Vec<Entries>, usize)> {
    let delimiter = [b',', b';', b'\t', b'|'].into_iter().max_by_key(|&delimiter| n_lines_with(text, delimiter));
    match delimiter.filter(|&delimiter| n_lines_with(text, delimiter) > 0) {
        None => Ok(one_column(text, id_columns)),
        Some(delimiter) => several_columns(text, delimiter, id_columns),
    }
}

fn n_lines_with(text: &str, delimiter: u8) -> usize {
    text.lines().filter(|line| line.as_bytes().contains(&delimiter)).count()
}

/// A line, an entry. The first line may be a header; it is an entry all the same, as no header means anyone.
fn one_column(text: &str, id_columns: &[&str]) -> (Vec<Entries>, usize) {
    let lines = text.split(['\n', '\r']).map(unquoted).filter(|line| !line.is_empty());
    let texts: Vec<String> = lines.map(str::to_owned).collect();
    let header = texts.first().and_then(|first| meaning(first, id_columns));
    let n_rows = texts.len() - usize::from(header.is_some());
    (vec![Entries { meaning: header.unwrap_or(Meaning::Any), texts }], n_rows)
}

fn unquoted(line: &str) -> &str {
    let line = line.trim();
    line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).unwrap_or(line).trim()
}

fn several_columns(text: &str, delimiter: u8, id_columns: &[&str]) -> Outcome<(Vec<Entries>, usize)> {
    const NAME_IT: &str = "keep one column, or name the telling one `person`, `email` or `phone` in a header line";
    const MEND: &str = "write the list again as CSV: one header line, as many cells in every row";
    if text.bytes().filter(|&byte| byte == b'"').count() % 2 == 1 {
        return fault("a quote in it is never closed", MEND);
    }
    let mut rows =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(true).flexible(true).from_reader(text.as_bytes());
    let Ok(header) = rows.headers().cloned() else { return fault("its header line cannot be read", MEND) };
    let told = |(at, name): (usize, &str)| meaning(name.trim(), id_columns).map(|meaning| (at, meaning));
    let told: Vec<(usize, Meaning)> = header.iter().enumerate().filter_map(told).collect();
    if told.is_empty() {
        return fault(format!("none of its {} columns says whom it means", header.len()), NAME_IT);
    }
    let mut columns: Vec<Entries> = told.iter().map(|&(_, meaning)| Entries { meaning, texts: Vec::new() }).collect();
    let mut n_rows = 0;
    for (row, record) in rows.records().enumerate() {
        let Ok(record) = record else { return fault(format!("row {} cannot be read", row + 1), MEND) };
        if record.len() != header.len() {
            return fault(format!("row {} has {} cells, the header {}", row + 1, record.len(), header.len()), MEND);
        }
        n_rows += 1;
        for (entries, &(at, _)) in columns.iter_mut().zip(&told) {
            let entry = record[at].trim();
            if entry.contains(['\n', '\r']) {
                return fault(format!("a cell of row {} runs over several lines", row + 1), MEND);
            }
            if !entry.is_empty() {
                entries.texts.push(entry.to_owned());
            }
        }
    }
    Ok((columns, n_rows))
}

/// What columns of ids are called, with or without `id` after it.
const IDS: [&str; 14] = [
    "id",
    "person",
    "customer",
    "user",
    "member",
    "client",
    "contact",
    "subscriber",
    "account",
    "lead",
    "uid",
    "guid",
    "uuid",
    "identifier",
];

/// What a header says about its column; `None` when it is no header that says so.
fn meaning(header: &str, id_columns: &[&str]) -> Option<Meaning> {
    if header.contains('@') || is_email(header) || header.len() > 64 {
        return None;
    }
    let words: String = header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let is_id = id_columns.iter().any(|name| name.eq_ignore_ascii_case(header))
        || IDS.contains(&words.as_str())
        || words.strip_suffix("id").is_some_and(|word| IDS.contains(&word))
        || header.to_ascii_lowercase().ends_with("_id");
    if is_id {
        return Some(Meaning::Id);
    }
    let is_contact =
        matches!(Role::of(header), Role::Email | Role::Phone) && !words.bytes().any(|b| b.is_ascii_digit());
    let is_email = Role::of(&words.replace("mail", "")) != Role::Phone && words.contains("mail");
    is_contact.then_some(if is_email { Meaning::Email } else { Meaning::Contact })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(Meaning, Vec<String>)> {
        let (columns, _) = columns(text, &["mql_id"]).expect("a list that can be read");
        columns.into_iter().map(|column| (column.meaning, column.texts)).collect()
    }

    #[test]
    fn one_column_needs_no_header_and_loses_no_line() {
        assert_eq!(parsed("p1\r\n\"p2\"\n\n p3 "), [(Meaning::Any, vec!["p1".into(), "p2".into(), "p3".into()])]);
        assert_eq!(parsed("customer_id\np1\n"), [(Meaning::Id, vec!["customer_id".into(), "p1".into()])]);
        assert_eq!(parsed("email or phone\na@b.co")[0].0, Meaning::Contact);
        assert_eq!(parsed("E-Mail\na@b.co"), [(Meaning::Email, vec!["E-Mail".into(), "a@b.co".into()])]);
        assert_eq!(columns("email\n", &[]).unwrap().1, 0);
        assert_eq!(columns("", &[]).unwrap().1, 0);
    }

    #[test]
    fn of_several_columns_the_named_ones_count() {
        let text = "mql_id;reason;email\np1;\"asked; twice\";a@b.co\np2;;\n";
        let ids = (Meaning::Id, vec!["p1".into(), "p2".into()]);
        assert_eq!(parsed(text), [ids, (Meaning::Email, vec!["a@b.co".into()])]);
    }

    #[test]
    fn what_could_hide_an_entry_is_refused() {
        for text in [
            "date,why\n2024-01-01,asked",
            "email,why\na@b.co",
            "email,why\na@b.co,\"asked\nc@d.co,asked",
            "a@b.co,2024-01-01\nc@d.co,2024-01-02",
            "email\na@b.co,2024-01-01",
        ] {
            let fault = columns(text, &[]).expect_err(text);
            assert!(!fault.why.contains("a@b"), "{}", fault.why);
        }
        assert!(decoded(b"\x00\x01\x02p1").is_err());
        assert!(decoded(b"p1\np\xfc2\n").is_ok());
    }

    #[test]
    fn utf_16_is_read_by_its_mark() {
        let bytes: Vec<u8> = "\u{feff}p1\np2".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&bytes).unwrap(), "p1\np2");
    }
}
