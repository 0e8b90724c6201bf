//! The bytes of a file, unpacked and decoded to UTF-8.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;

use crate::error::{Error, Result};

const BUFFER: usize = 1 << 18;
/// The path that means the program's input.
pub(crate) const STDIN: &str = "-";

/// A file's bytes, or those of the program's input for `-`; gzip and zstd are told by their first bytes and unpacked.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    let fail = |source: std::io::Error| Error::io("read", path, &source);
    let bytes: Box<dyn Read + Send> =
        if path == Path::new(STDIN) { Box::new(std::io::stdin()) } else { Box::new(File::open(path).map_err(fail)?) };
    let mut reader = BufReader::with_capacity(BUFFER, bytes);
    let magic = reader.fill_buf().map_err(fail)?;
    Ok(match magic {
        [0x1F, 0x8B, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Box::new(zstd::Decoder::with_buffer(reader).map_err(fail)?),
        _ => Box::new(reader),
    })
}

/// A file's text as UTF-8: in the encoding that is told, else the one of its byte order mark, else as it is.
pub(crate) fn text(path: &Path, encoding: Option<&str>) -> Result<Box<dyn Read + Send>> {
    let encoding = match encoding {
        None => None,
        Some(label) => Some(Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            Error::spec(format!("`{label}` is not an encoding")).hint("write \"utf-8\", \"latin1\" or \"utf-16le\"")
        })?),
    };
    let told = encoding.filter(|encoding| *encoding != encoding_rs::UTF_8);
    let decoded = DecodeReaderBytesBuilder::new()
        .encoding(told)
        .utf8_passthru(true)
        .strip_bom(true)
        .bom_override(true)
        .build(open(path)?);
    Ok(Box::new(decoded))
}

/// The first bytes of a file, unpacked.
pub(crate) fn head(path: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    // What cannot be unpacked is told by whoever reads the whole file.
    let _ = open(path)?.take(8).read_to_end(&mut head);
    Ok(head)
}

/// BLAKE3 of the file as it lies there, hex.
pub(crate) fn blake3(path: &Path) -> Result<String> {
    let fail = |source: std::io::Error| Error::io("read", path, &source);
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path).map_err(fail)?).map_err(fail)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// The error for a text that is not UTF-8.
pub(crate) fn not_utf8(shown: &str, row: u64) -> Error {
    let place = if row == 0 { "the header".to_owned() } else { format!("row {row}") };
    Error::data(format!("{place} of {shown} is not UTF-8"))
        .hint("tell the table's encoding: encoding = \"latin1\" is common, also \"windows-1252\" and \"utf-16le\"")
}
