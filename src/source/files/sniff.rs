//! How a text file seems to be written: what parts its columns, whether its first line names them, its encoding.
//!
//! In: the first quarter of a megabyte. Out: a [`Table`] that says what differs from what the file's name says. The mark
//! that gives the most lines the same number of fields parts them; a line of names is one of different texts, above
//! columns in which they do not occur and of which some hold numbers or dates.

use std::io::Read as _;
use std::path::Path;

use super::super::kind::Kind;
use super::bytes;
use crate::error::{Error, Result};
use crate::spec::{Delimiter, Table};

const HEAD: u64 = 1 << 18;
const MOST_LINES: usize = 500;
/// Marks that part columns, the likelier first.
const MARKS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// So many lines must have the same number of fields.
const ALIKE: f64 = 0.9;
/// What is no UTF-8 is this, most of the time.
const OLD_ENCODING: &str = "windows-1252";

/// A table of the file at `path`, told as it seems to be written; the table's own path is `told`.
///
/// # Errors
/// When the file cannot be read.
pub fn sniff(path: &Path, told: &str) -> Result<Table> {
    let table = Table { path: told.to_owned(), ..Table::default() };
    let name = path.to_string_lossy().to_lowercase();
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let is_binary = bytes::head(path)?.starts_with(b"PAR1")
        || [".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".json", ".jsonl", ".ndjson", ".parquet", ".pq"]
            .iter()
            .any(|ending| plain.ends_with(ending));
    if is_binary {
        return Ok(table);
    }
    let (text, encoding) = head(path)?;
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(MOST_LINES).collect();
    if text.len() as u64 >= HEAD - 4 {
        lines.pop();
    }
    let usual = if [".tsv", ".tab"].iter().any(|ending| plain.ends_with(ending)) { b'\t' } else { b',' };
    let delimiter = delimiter(&lines, usual);
    let records = records(&lines, delimiter);
    let is_headless = !has_header(&records);
    Ok(Table {
        delimiter: Some(delimiter).filter(|delimiter| *delimiter != Delimiter::Byte(usual)),
        header: is_headless.then_some(false),
        encoding,
        ..table
    })
}

/// The first part of a file as text, and its encoding if that has to be told.
fn head(path: &Path) -> Result<(String, Option<String>)> {
    let read = |encoding: Option<&str>| -> Result<Vec<u8>> {
        let mut head = Vec::new();
        let taken = bytes::text(path, encoding)?.take(HEAD).read_to_end(&mut head);
        taken.map_err(|source| Error::io("read", path, &source))?;
        Ok(head)
    };
    let head = read(None)?;
    match std::str::from_utf8(&head) {
        Ok(text) => Ok((text.to_owned(), None)),
        // The end may cut a character in two.
        Err(error) if error.error_len().is_none() => {
            Ok((String::from_utf8_lossy(&head[..error.valid_up_to()]).into_owned(), None))
        }
        Err(_) => {
            let text = String::from_utf8_lossy(&read(Some(OLD_ENCODING))?).into_owned();
            Ok((text, Some(OLD_ENCODING.to_owned())))
        }
    }
}

fn delimiter(lines: &[&str], usual: u8) -> Delimiter {
    let mut best: Option<(f64, usize, u8)> = None;
    for mark in [usual].into_iter().chain(MARKS) {
        let counts: Vec<usize> = records(lines, Delimiter::Byte(mark)).iter().map(Vec::len).collect();
        let (alike, fields) = most_alike(&counts);
        let is_better = best.is_none_or(|(share, n, _)| alike > share + 0.05 || (alike >= share - 0.05 && fields > n));
        if fields > 1 && alike >= ALIKE && is_better {
            best = Some((alike, fields, mark));
        }
    }
    if let Some((_, _, mark)) = best {
        return Delimiter::Byte(mark);
    }
    let counts: Vec<usize> = lines.iter().map(|line| line.split_ascii_whitespace().count()).collect();
    let (alike, fields) = most_alike(&counts);
    if fields > 1 && alike >= ALIKE { Delimiter::Whitespace } else { Delimiter::Byte(usual) }
}

/// The share of the commonest number, and the number.
fn most_alike(counts: &[usize]) -> (f64, usize) {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0]));
    let (n, value) = runs.max().unwrap_or((0, 0));
    (n as f64 / (counts.len() as f64).max(1.0), value)
}

fn records(lines: &[&str], delimiter: Delimiter) -> Vec<Vec<String>> {
    match delimiter {
        Delimiter::Whitespace => {
            lines.iter().map(|line| line.split_ascii_whitespace().map(ToOwned::to_owned).collect()).collect()
        }
        Delimiter::Byte(mark) => {
            let text = lines.join("\n");
            let mut reader = csv::ReaderBuilder::new()
                .delimiter(mark)
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes());
            let records = reader.records().filter_map(std::result::Result::ok);
            records.map(|record| record.iter().map(|field| field.trim().to_owned()).collect()).collect()
        }
    }
}

/// Whether the first record names the columns.
fn has_header(records: &[Vec<String>]) -> bool {
    let Some((first, rest)) = records.split_first() else { return true };
    let is_value = |text: &str| !matches!(Kind::of(text), Kind::Text | Kind::Empty) || is_code(text);
    // A year can be a name; any other number or date in the first line is data.
    if first.iter().any(|text| is_value(text) && !is_year(text)) || first.iter().all(|text| is_year(text)) {
        return false;
    }
    let occurs_below = |(place, name): (usize, &String)| {
        !name.is_empty() && rest.iter().take(100).any(|record| record.get(place) == Some(name))
    };
    first.iter().enumerate().filter(|&at| occurs_below(at)).count() * 2 < first.len().max(1)
}

/// Digits alone, leading zeros too: `00042`.
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && text.parse::<u16>().is_ok_and(|year| (1900..=2100).contains(&year))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniffed(text: &str) -> (Option<Delimiter>, Option<bool>) {
        let lines: Vec<&str> = text.lines().collect();
        let delimiter = delimiter(&lines, b',');
        let told = Some(delimiter).filter(|delimiter| *delimiter != Delimiter::Byte(b','));
        (told, (!has_header(&records(&lines, delimiter))).then_some(false))
    }

    #[test]
    fn files_are_taken_as_they_are_written() {
        for (text, delimiter, header) in [
            ("a,b\n1,2\n3,4\n", None, None),
            ("name;price\n\"x; y\";1,5\nz;2,5\n", Some(Delimiter::Byte(b';')), None),
            ("33\t1\t3\n37\t1\t2\n", Some(Delimiter::Byte(b'\t')), Some(false)),
            (" id  date  amount\n 0001 19970101  11.77\n 0002 19970112  12.00\n", Some(Delimiter::Whitespace), None),
            (
                " 00004 0001 19970101  2   29.33\n 00004 0001 19970118  2   29.73\n",
                Some(Delimiter::Whitespace),
                Some(false),
            ),
            ("anna,visit\nben,buy\ncara,call\n", None, None),
            ("visit,web\nvisit,web\nbuy,shop\n", None, Some(false)),
            ("id,2019,2020\na,1,2\nb,3,4\n", None, None),
        ] {
            assert_eq!(sniffed(text), (delimiter, header), "{text}");
        }
    }
}
