//! `swarmlab lesson`: the lessons without a browser: what is asked, where to look, the bytes explained, and the answer with the
//! numbers of a run that is made for it. The pages of the book are made of the same.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;
use swarmlab_experiments::lesson::{self, Lesson};
use swarmlab_experiments::units::show_duration;

use super::watch::known;
use crate::decode::{self, Kind, render};
use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::style::Palette;

/// Columns of text.
const WIDTH: usize = 100;

/// Read a lesson in the terminal: a question, a run, what to look at, and the answer
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab lesson list
  swarmlab lesson show choke
  swarmlab watch lesson:choke          the same on a page, where everything can be looked at")]
pub struct LessonCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the lessons, in the order of the course
    List(List),
    /// Run a lesson and tell it
    Show(Show),
}

#[derive(Debug, Args)]
struct List {
    /// Print one JSON document (schema lesson-list/1)
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Show {
    /// Name of a lesson
    #[arg(value_name = "NAME")]
    name: String,
    /// Write it as a page of the book, in Markdown
    #[arg(long)]
    markdown: bool,
    /// Print one JSON document (schema lesson-show/1): what the page in the browser is given
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
}

/// A lesson after its run, as the page in the browser takes it.
#[derive(Debug, Deserialize)]
struct Page {
    name: String,
    title: String,
    question: String,
    look: Vec<Look>,
    answer: String,
    next: Option<String>,
    pictures: Vec<Picture>,
}

#[derive(Debug, Deserialize)]
struct Look {
    text: String,
    at_us: u64,
}

#[derive(Debug, Deserialize)]
struct Picture {
    kind: String,
    title: Option<String>,
    text: Option<String>,
    bytes_hex: Option<String>,
    text_hex: Option<String>,
}

impl LessonCommand {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        match self.what {
            What::List(list) => list.run(env),
            What::Show(show) => show.run(env),
        }
    }
}

impl List {
    fn run(self, env: &Env) -> Result<Exit, Error> {
        let lessons: Vec<Lesson> = lesson::names().filter_map(lesson::find).collect();
        if self.json {
            let row = |lesson: &Lesson| json!({ "name": lesson.name, "title": lesson.title, "question": lesson.question });
            env.json("lesson-list/1", &json!({ "lessons": lessons.iter().map(row).collect::<Vec<_>>() }))?;
            return Ok(Exit::Done);
        }
        let width = lessons.iter().map(|lesson| lesson.name.len()).max().unwrap_or(0);
        for lesson in &lessons {
            env.out().line(format_args!("{:<width$}  {}", lesson.name, lesson.title))?;
        }
        env.note(
            "swarmlab watch lesson:NAME shows one in the browser, swarmlab lesson show NAME tells it here",
        );
        Ok(Exit::Done)
    }
}

impl Show {
    fn run(self, env: &Env) -> Result<Exit, Error> {
        let failed = |error| Error::failed(format!("cannot give the lesson {}", self.name)).because(error);
        let taught = known(&self.name)?.teach().map_err(failed)?;
        if self.json {
            env.json("lesson-show/1", &taught.page)?;
            return Ok(Exit::Done);
        }
        let page: Page = serde_json::from_value(taught.page)
            .map_err(|error| Error::failed(format!("cannot read the lesson {}", self.name)).because(error))?;
        let text = if self.markdown { page.markdown() } else { page.terminal(env.out_style()) };
        env.print(text.as_bytes())?;
        Ok(Exit::Done)
    }
}

impl Page {
    fn terminal(&self, style: Palette) -> String {
        let mut text = format!("{}\n\n", style.bold(&self.title));
        paragraphs(&mut text, &self.question, "");
        for picture in &self.pictures {
            _ = writeln!(text, "{}", style.bold(picture.title.as_deref().unwrap_or(&picture.kind)));
            paragraphs(&mut text, picture.text.as_deref().unwrap_or_default(), "");
            if let Some(listing) = picture.listing(style) {
                _ = writeln!(text, "{listing}");
            }
        }
        if !self.look.is_empty() {
            _ = writeln!(text, "{}", style.bold("Where to look"));
            self.look.iter().for_each(|look| paragraph(&mut text, &look.text, "  - ", "    "));
            text.push('\n');
        }
        _ = writeln!(text, "{}", style.bold("The answer"));
        paragraphs(&mut text, &self.answer, "");
        _ = writeln!(text, "swarmlab watch lesson:{} shows all of it.", self.name);
        if let Some(next) = &self.next {
            _ = writeln!(text, "Next: swarmlab lesson show {next}");
        }
        text
    }

    /// A page of the book. Its picture is made by `scripts/book`.
    fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n", self.title);
        paragraphs(&mut text, &self.question, "");
        _ = writeln!(text, "```sh\nswarmlab watch lesson:{}\n```\n", self.name);
        _ = writeln!(text, "![{}: the page of this lesson]({}.png)\n", self.title, self.name);
        for picture in &self.pictures {
            _ = writeln!(text, "## {}\n", picture.title.as_deref().unwrap_or(&picture.kind));
            paragraphs(&mut text, picture.text.as_deref().unwrap_or_default(), "");
            if let Some(listing) = picture.listing(Palette::new(false)) {
                _ = writeln!(text, "```text\n{}\n```\n", listing.trim_end());
            }
        }
        if !self.look.is_empty() {
            text.push_str("## Where to look\n\n| time | what |\n| --- | --- |\n");
            for look in &self.look {
                let time = show_duration(std::time::Duration::from_micros(look.at_us));
                let what = look.text.strip_prefix(&format!("{time}: ")).unwrap_or(&look.text);
                _ = writeln!(text, "| {time} | {what} |");
            }
            text.push('\n');
        }
        text.push_str("## The answer\n\n");
        paragraphs(&mut text, &self.answer, "");
        if let Some(next) = &self.next {
            _ = writeln!(text, "Next: [{next}]({next}.md)");
        }
        text
    }
}

impl Picture {
    /// The bytes, explained; nothing for a picture that is drawn of the run.
    fn listing(&self, style: Palette) -> Option<String> {
        let hex = self.bytes_hex.as_ref().or(self.text_hex.as_ref())?;
        let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
        let data: Vec<u8> = digits.chunks_exact(2).map(|two| (two[0] << 4 | two[1]) as u8).collect();
        let kind = match self.kind.as_str() {
            "request" => Kind::Request,
            "handshake" => Kind::Handshake,
            "torrent" => Kind::Torrent,
            _ => Kind::Bencode,
        };
        let explained = decode::explain(kind, &data);
        let lines = render::render(&explained, &data, false, style);
        Some(lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n")
    }
}

/// Adds paragraphs, each wrapped and followed by an empty line.
fn paragraphs(text: &mut String, prose: &str, indent: &str) {
    for each in prose.split("\n\n").filter(|each| !each.trim().is_empty()) {
        paragraph(text, each, indent, indent);
        text.push('\n');
    }
}

/// Adds a paragraph wrapped at [`WIDTH`].
fn paragraph(text: &mut String, prose: &str, first: &str, rest: &str) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in prose.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = rest.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    text.push_str(&line);
    text.push('\n');
}
