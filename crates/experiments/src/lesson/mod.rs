//! Lessons: a question, a run, what to look at, and the answer with the numbers of that run.
//!
//! A lesson is a file in `crates/experiments/lessons`. Nothing in it is a number that a run would give: times are found in the trace by
//! what happens ([`Query`]), numbers are taken from the result (`{leechers.time.mean}`), so a lesson stays true when the engine
//! changes, or its test fails. [`Lesson::teach`] makes the run and fills everything in.

mod answer;
mod builtin;
mod moment;
mod picture;
mod teach;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::scenario::{self, Diagnostics, Origin, Scenario};

pub use answer::AnswerError;
pub use builtin::{find, names, nearest};
pub use moment::{Moment, Query};
pub use teach::{Taught, TeachError};

/// The schema of the files.
const SCHEMA: &str = "lesson/1";

/// A lesson as its file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    schema: String,
    /// What opens it.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The question it asks.
    pub question: String,
    /// The answer, with paths into the results in braces.
    pub answer: String,
    /// The lesson that follows.
    #[serde(default)]
    pub next: Option<String>,
    /// The run: the text of a scenario, or the name of one that comes with the program.
    pub scenario: String,
    /// Changes to it, `PATH=VALUE`.
    #[serde(default)]
    pub set: Vec<String>,
    /// Runs that are not watched, for numbers to compare with.
    #[serde(default)]
    pub other: Vec<Other>,
    /// What to look at, in the order of the run.
    #[serde(default)]
    pub look: Vec<Look>,
    /// Bytes to be drawn.
    #[serde(default)]
    pub picture: Vec<Picture>,
}

/// Another run of a lesson's scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    /// What the answer calls it.
    pub name: String,
    /// How it differs, `PATH=VALUE`.
    pub set: Vec<String>,
}

/// A place to look at.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// What is to be seen there. `{time}`, `{node}`, `{remote}`, `{conn}` and `{piece}` are those of the moment.
    pub text: String,
    /// When.
    pub at: Query,
    /// In which view: `swarm`, `matrix`, `time`, `inspector`.
    #[serde(default)]
    pub view: Option<String>,
    /// What is chosen, in the page's own words, with the same braces.
    #[serde(default)]
    pub select: Option<String>,
}

/// Bytes to be drawn.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// Whose bytes, and how they are drawn.
    pub kind: PictureKind,
    /// What stands above.
    #[serde(default)]
    pub title: Option<String>,
    /// What stands below.
    #[serde(default)]
    pub text: Option<String>,
    /// The bytes themselves, for bencode.
    #[serde(default)]
    pub bytes: Option<String>,
    /// The moment they are taken from; of a request, a reply and a handshake the first there is.
    #[serde(default)]
    pub at: Option<Query>,
}

/// What a picture is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureKind {
    /// Bencode that the lesson gives.
    Bencode,
    /// A `.torrent` of the content of the run.
    Torrent,
    /// An announce, as it goes to the tracker.
    Request,
    /// What the tracker says.
    Reply,
    /// The 68 bytes that open a link.
    Handshake,
    /// Who takes part, drawn from the trace.
    Participants,
}

impl Lesson {
    /// Reads a lesson.
    ///
    /// # Errors
    /// When the text is no lesson, with the place.
    pub fn parse(text: &str) -> Result<Lesson, String> {
        let mut lesson: Lesson = toml::from_str(text).map_err(|error| error.to_string())?;
        if lesson.schema != SCHEMA {
            return Err(format!("the schema is {:?}, not {SCHEMA:?}", lesson.schema));
        }
        let looks = lesson.look.iter_mut().map(|look| &mut look.text);
        let pictures = lesson.picture.iter_mut().filter_map(|picture| picture.text.as_mut());
        let texts = [&mut lesson.question, &mut lesson.answer].into_iter().chain(looks).chain(pictures);
        texts.for_each(|text| *text = paragraphs(text));
        Ok(lesson)
    }

    /// The scenario of the run, with further changes, and its text.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn scenario(&self, sets: &[String]) -> Result<(Scenario, &str), Diagnostics> {
        let text = scenario::builtin::find(&self.scenario).map_or(self.scenario.as_str(), |found| found.text);
        let sets: Vec<String> = self.set.iter().chain(sets).cloned().collect();
        let origin = Origin::named(format!("the scenario of the lesson {}", self.name));
        Ok((Scenario::parse(text, &origin, &sets)?, text))
    }

    /// The names of the other runs with how they differ.
    pub(crate) fn others(&self) -> BTreeMap<&str, &[String]> {
        self.other.iter().map(|other| (other.name.as_str(), other.set.as_slice())).collect()
    }
}

/// Text without the line ends of its file: those that are left end paragraphs.
fn paragraphs(text: &str) -> String {
    let lines = text.trim().split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests;
