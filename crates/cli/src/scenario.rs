//! A scenario as commands take it: the name of one that comes with the program, or a file.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use swarmlab_experiments::scenario::{Diagnostics, LARGEST, Origin, Scenario, builtin};

use crate::env::Env;
use crate::error::Error;

/// The text of a scenario and where it comes from.
pub struct Source {
    /// What messages call it.
    pub origin: Origin,
    /// All of it.
    pub text: String,
}

/// Finds a scenario by the name of a built-in one or the path of a file; the name goes first (`./NAME` is the file).
///
/// # Errors
/// When there is no such scenario or its file cannot be read (exit status 1), or it is no text (2).
pub fn find(env: &Env, typed: &str) -> Result<Source, Error> {
    if let Some(builtin) = builtin::find(typed) {
        return Ok(Source { origin: Origin::named(typed), text: builtin.text.to_owned() });
    }
    let path = env.resolve(typed);
    let mut bytes = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    read.map_err(|error| {
        let help = match builtin::nearest(typed) {
            Some(name) => {
                format!("did you mean {name}? swarmlab scenario list shows all that come with the program")
            }
            None => "give a file, or a name that swarmlab scenario list shows".to_owned(),
        };
        Error::failed(format!("cannot read the scenario {typed}")).because(error).help(help)
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::invalid(format!("{typed} is no scenario: byte {at} is not UTF-8"))
    })?;
    let dir = path.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Source { origin: Origin { name: typed.to_owned(), dir }, text })
}

impl Source {
    /// Reads it, changed by texts `PATH=VALUE`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(&self, sets: &[String]) -> Result<Scenario, Diagnostics> {
        Scenario::parse(&self.text, &self.origin, sets)
    }
}

/// The error of a scenario that is not valid (exit status 2).
pub fn refuse(name: &str, diagnostics: &Diagnostics) -> Error {
    Error::invalid(format!("{name} is not a valid scenario")).shown_by(&diagnostics.to_string())
}
