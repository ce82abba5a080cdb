//! What is wrong with a scenario, where, and what would be right: the text a person reads, with the line and a mark
//! under the value. It reads the same without colours.

use std::fmt;

/// Most errors told at once: the later ones often follow from the first.
const MOST: usize = 20;
/// Widest piece of a line that is shown, in characters.
const WIDEST: usize = 100;

/// A range of bytes of one of the texts a scenario is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which text: 0 is the file, then the `--set` flags in their order.
    pub source: usize,
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

/// A text that a scenario is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// What it is called in messages: a path, `--set`, a name.
    pub name: String,
    /// All of it.
    pub text: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where.
    pub place: Place,
    /// What, with the value in question.
    pub message: String,
    /// What would be right, if that can be said.
    pub help: Option<String>,
}

/// Collects what is wrong while reading goes on.
#[derive(Debug, Default)]
pub(crate) struct Findings(pub(crate) Vec<Diagnostic>);

impl Findings {
    /// Notes something wrong; what the message quotes of the input is made printable when it is shown.
    pub(crate) fn add(&mut self, place: Place, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.0.push(Diagnostic { place, message: message.into(), help: help.into() });
    }

    /// The same, with nothing known that would be right.
    pub(crate) fn say(&mut self, place: Place, message: impl Into<String>) {
        self.add(place, message, None);
    }
}

/// Everything that is wrong with a scenario, in the order of its text. [`fmt::Display`] gives the lines for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    sources: Vec<Source>,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Puts findings into the order of the texts; what is beyond the first 20 is left out.
    pub(crate) fn new(sources: Vec<Source>, mut findings: Findings) -> Diagnostics {
        findings.0.sort_by_key(|finding| finding.place);
        findings.0.dedup();
        findings.0.truncate(MOST);
        Diagnostics { sources, list: findings.0 }
    }

    /// What is wrong, at least one thing.
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// Line and column of a place, both counted from 1; the column in characters.
    pub fn position(&self, place: Place) -> (usize, usize) {
        let text = &self.sources[place.source].text;
        let start = floor(text, place.start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The name of the text a place is in.
    pub fn source(&self, place: Place) -> &str {
        &self.sources[place.source].name
    }
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, diagnostic) in self.list.iter().enumerate() {
            if number > 0 {
                write!(f, "\n\n")?;
            }
            self.show(f, diagnostic)?;
        }
        Ok(())
    }
}

impl Diagnostics {
    fn show(&self, f: &mut fmt::Formatter<'_>, diagnostic: &Diagnostic) -> fmt::Result {
        let place = diagnostic.place;
        let (line, column) = self.position(place);
        let name = self.source(place);
        write!(f, "{}:{line}:{column}: {}", printable(name), printable(&diagnostic.message))?;
        let text = &self.sources[place.source].text;
        if let Some((shown, before, marked)) = excerpt(text, place) {
            let number = line.to_string();
            let margin = " ".repeat(number.len());
            write!(
                f,
                "\n{margin} |\n{number} | {shown}\n{margin} | {}{}",
                " ".repeat(before),
                "^".repeat(marked)
            )?;
        }
        match &diagnostic.help {
            Some(help) => write!(f, "\n  help: {}", printable(help)),
            None => Ok(()),
        }
    }
}

/// The line of a place as it can be shown, how many characters stand before the mark, and how long the mark is.
/// `None` for an empty line, where there is nothing to see.
fn excerpt(text: &str, place: Place) -> Option<(String, usize, usize)> {
    let start = floor(text, place.start);
    let line_start = text[..start].rfind('\n').map_or(0, |end| end + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |end| start + end);
    let line = text[line_start..line_end].trim_end();
    if line.is_empty() {
        return None;
    }
    let before = text[line_start..start].chars().count();
    let end = floor(text, place.end.clamp(start, line_end));
    let marked = text[start..end].trim_end().chars().count().max(1);
    // A long line is cut so that the mark stays in sight.
    let skip = before.saturating_sub(WIDEST / 2);
    let shown: String = line.chars().skip(skip).take(WIDEST).map(harmless).collect();
    let before = before - skip;
    Some((shown, before, marked.min(WIDEST.saturating_sub(before)).max(1)))
}

/// The last boundary between characters at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A character that takes one column and steers no terminal.
fn harmless(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() || is_steering(c) => '\u{fffd}',
        c => c,
    }
}

/// Marks that reverse the direction of what follows.
fn is_steering(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Messages quote the input: the same care on one line.
fn printable(text: &str) -> String {
    text.chars().map(harmless).collect()
}

/// The candidate that was most likely meant, if any is near: a third of the letters, and one more, may differ.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word: String = word.chars().take(60).flat_map(char::to_lowercase).collect();
    let folded = word.replace('_', "-");
    let distance = |candidate: &str| crate::units::distance(&candidate.replace('_', "-"), &folded);
    let best = candidates.map(|candidate| (distance(candidate), candidate)).min()?;
    (best.0 <= 1 + word.chars().count() / 3).then_some(best.1)
}

/// A text of the input as messages quote it: not endless.
pub(crate) fn quote(text: &str) -> String {
    if text.chars().count() <= 60 {
        return format!("'{text}'");
    }
    format!("'{}...'", text.chars().take(57).collect::<String>())
}

/// `a, b or c`.
pub(crate) fn alternatives<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
