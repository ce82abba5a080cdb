//! The text of a scenario in parts that can be taken out, one by one.

use std::fmt::{self, Display, Formatter};

use crate::scenario::{Diagnostics, Origin, Scenario};

/// A scenario as sections of keys. Shown, it is the scenario's TOML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The seed, which also gives the scenario its name.
    pub seed: u64,
    /// The tables, in the order of the file.
    pub sections: Vec<Section>,
}

/// A table of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// As it stands above the keys: `[content]`, `[[group]]`.
    pub header: &'static str,
    /// Each key with its value, written as TOML.
    pub keys: Vec<(String, String)>,
}

impl Section {
    /// A table without keys.
    pub fn new(header: &'static str) -> Section {
        Section { header, keys: Vec::new() }
    }

    /// Adds a key with a value that is TOML already.
    pub fn set(&mut self, key: &str, value: impl Display) {
        self.keys.push((key.to_owned(), value.to_string()));
    }

    /// Adds a key with a text.
    pub fn text(&mut self, key: &str, value: impl Display) {
        self.set(key, format_args!("\"{value}\""));
    }

    /// The value of a key, as TOML.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.keys.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Whether one of its values has this text.
    pub fn mentions(&self, text: &str) -> bool {
        self.keys.iter().any(|(_, value)| value.contains(text))
    }
}

impl Draft {
    /// Reads it as a scenario.
    ///
    /// # Errors
    /// Where it is no valid scenario.
    pub fn scenario(&self) -> Result<Scenario, Diagnostics> {
        Scenario::parse(&self.to_string(), &Origin::named(self.name()), &[])
    }

    /// What the scenario is called.
    pub fn name(&self) -> String {
        format!("fuzz-{}", self.seed)
    }
}

impl Display for Draft {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "schema = \"scenario/1\"\nname = \"{}\"\nseed = {}\n", self.name(), self.seed)?;
        for section in &self.sections {
            write!(f, "\n{}\n", section.header)?;
            section.keys.iter().try_for_each(|(key, value)| writeln!(f, "{key} = {value}"))?;
        }
        Ok(())
    }
}
