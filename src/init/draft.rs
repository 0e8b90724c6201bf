//! What will stand in the spec, before it is written down.

/// A spec that is being guessed.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) project: String,
    /// Lines of `[tables]`.
    pub(super) tables: Vec<String>,
    /// Blocks of `[people.*]` and `[events.*]`, each with its comments.
    pub(super) sources: Vec<String>,
    /// `[lifecycle]`, `[[predictions]]` and `[[audiences]]`, each with its comments.
    pub(super) rest: Vec<String>,
    /// What was found in one line each, for the terminal and the head of the file.
    pub(super) notes: Vec<String>,
}

impl Draft {
    /// The text of the `clo.toml`.
    pub(super) fn text(&self) -> String {
        let mut text = String::from(
            "#:schema ./clo.schema.json\n# Guessed by `clo init` from the files alone. Each guess says how sure it is: look at them, mend what is wrong,\n# then `clo check` and `clo run`. (`clo schema > clo.schema.json` helps your editor.)\n",
        );
        for note in &self.notes {
            text += &format!("# - {note}\n");
        }
        text += &format!(
            "\n[project]\nname = {}\nseed = 7                                   # every random choice derives from it\n",
            toml(&self.project)
        );
        text += "\n[tables]\n";
        for line in &self.tables {
            text += &format!("{line}\n");
        }
        for block in self.sources.iter().chain(&self.rest) {
            text += &format!("\n{}\n", block.trim_end());
        }
        text
    }

    /// The text with no more of a lifecycle than that everybody is somewhere: enough to read the data.
    pub(super) fn readable(&self) -> String {
        let bare = Self {
            rest: vec!["[[lifecycle.stages]]\nname = \"known\"".into()],
            project: self.project.clone(),
            tables: self.tables.clone(),
            sources: self.sources.clone(),
            notes: Vec::new(),
        };
        bare.text()
    }
}

/// A text as TOML writes it.
pub(super) fn toml(text: &str) -> String {
    ::toml::Value::String(text.to_owned()).to_string()
}

/// A text as SQL writes it.
pub(super) fn sql_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name that a key of TOML, an event and a folder can bear; umlauts as ae, oe, ue.
pub(super) fn slug(words: &[&str]) -> String {
    let joined = words.join("_").to_lowercase();
    let joined = joined.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('ß', "ss");
    let slug: String = joined.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let slug = slug.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_");
    if slug.is_empty() { "event".into() } else { slug }
}
