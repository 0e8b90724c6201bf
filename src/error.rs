//! What went wrong, who must act, and what to do next.
//!
//! Every failure in clo is an [`Error`]: a [`Kind`] (which decides the exit code), a message that says what and
//! where, an optional excerpt of the file that is at fault, and hints that say what to do. Several faults found at
//! once travel together, so that a person mends all of them in one go.

use std::fmt;

/// Who must act. Each kind has one exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A fault in clo itself.
    Internal = 1,
    /// The command line was not understood.
    Usage = 2,
    /// `clo.toml` is wrong.
    Spec = 3,
    /// The data does not hold what the spec says, or cannot be read or written.
    Data = 4,
    /// A quality gate was not passed.
    Quality = 5,
    /// Suppression or consent forbids the export.
    Refused = 6,
    /// Another run holds the output folder.
    Busy = 7,
}

/// A few words of a file, with where they stand: what an error points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The file's name, as the person wrote it.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// The whole line.
    pub text: String,
}

/// A failure that says what, where and what next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Fault>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    kind: Kind,
    message: String,
    excerpt: Option<Excerpt>,
    hints: Vec<String>,
    also: Vec<Error>,
}

/// The result of anything that can fail in clo.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with a message that names what and where.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Fault { kind, message: message.into(), excerpt: None, hints: Vec::new(), also: Vec::new() }))
    }

    /// A fault in clo itself (exit code 1).
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// A wrong command line (exit code 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// A wrong `clo.toml` (exit code 3).
    pub fn spec(message: impl Into<String>) -> Self {
        Self::new(Kind::Spec, message)
    }

    /// Data that cannot be used, read or written (exit code 4).
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(Kind::Data, message)
    }

    /// A file that could not be read or written, with the system's reason (exit code 4).
    pub fn io(what: impl fmt::Display, path: &std::path::Path, source: &std::io::Error) -> Self {
        Self::data(format!("cannot {what} {}: {}", path.display(), reason(source)))
    }

    /// Adds a hint: what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Adds the words of a file that the error is about.
    #[must_use]
    pub fn excerpt(mut self, excerpt: Excerpt) -> Self {
        self.0.excerpt = Some(excerpt);
        self
    }

    /// Whether it points at words of a file already.
    #[must_use]
    pub fn has_excerpt(&self) -> bool {
        self.0.excerpt.is_some()
    }

    /// The same error, for someone else to act on.
    #[must_use]
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Points at words of a file, unless it points somewhere already.
    #[must_use]
    pub fn at(self, excerpt: Option<Excerpt>) -> Self {
        match excerpt {
            Some(excerpt) if !self.has_excerpt() => self.excerpt(excerpt),
            _ => self,
        }
    }

    /// Says in which work the error arose: `context: message`.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// All of `errors` as one, or `None` when there are none. The first decides the kind.
    #[must_use]
    pub fn all(errors: Vec<Self>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        first.0.also.extend(errors);
        Some(first)
    }

    /// Who must act.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The message of the first fault, without excerpt and hints.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The words of a file that the first fault is about, if there are any.
    #[must_use]
    pub fn place(&self) -> Option<&Excerpt> {
        self.0.excerpt.as_ref()
    }

    /// What to do about the first fault.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// The faults that were found together with the first.
    #[must_use]
    pub fn also(&self) -> &[Self] {
        &self.0.also
    }

    /// The code that the process ends with.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.0.kind as u8
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.0.message)?;
        if let Some(Excerpt { file, line, column, text }) = &self.0.excerpt {
            write!(f, "\n  ╭─[{file}:{line}:{column}]  {}", text.trim())?;
        }
        for hint in &self.0.hints {
            write!(f, "\nhelp: {hint}")?;
        }
        for other in &self.0.also {
            write!(f, "\n\n{other}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<polars::error::PolarsError> for Error {
    fn from(error: polars::error::PolarsError) -> Self {
        Self::internal(format!("table operation failed: {error}"))
    }
}

/// The system's reason in words, without its number.
#[must_use]
pub fn reason(source: &std::io::Error) -> String {
    use std::io::ErrorKind as E;
    match source.kind() {
        E::NotFound => "it is not there".to_owned(),
        E::PermissionDenied => "permission denied".to_owned(),
        E::StorageFull | E::QuotaExceeded => "the disk is full".to_owned(),
        E::FileTooLarge => "the file would be larger than is allowed".to_owned(),
        E::ReadOnlyFilesystem => "the disk can only be read".to_owned(),
        E::IsADirectory => "it is a folder".to_owned(),
        E::AlreadyExists | E::NotADirectory => "a file stands where a folder should be".to_owned(),
        _ => {
            let text = source.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}

/// The word of `known` that was probably meant by `found`, if one is close enough.
#[must_use]
pub fn did_you_mean<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&found.to_lowercase(), &word.to_lowercase()), word))
        .filter(|(closeness, _)| *closeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_what_where_and_what_next() {
        let excerpt = Excerpt { file: "clo.toml".into(), line: 14, column: 1, text: "person = \"customer_id\"".into() };
        let error = Error::spec("events.csv has no column `customer_id`").excerpt(excerpt).hint("it has `client_id`");
        let both = Error::all(vec![error, Error::data("second")]).expect("two errors make one");
        assert_eq!(both.exit_code(), 3);
        assert_eq!(
            both.to_string(),
            "error: events.csv has no column `customer_id`\n  ╭─[clo.toml:14:1]  person = \"customer_id\"\nhelp: it has `client_id`\n\nerror: second"
        );
    }

    #[test]
    fn the_nearest_word_is_proposed_and_a_far_one_is_not() {
        assert_eq!(did_you_mean("custmer_id", ["client", "customer_id"]), Some("customer_id"));
        assert_eq!(did_you_mean("zebra", ["client", "customer_id"]), None);
    }
}
