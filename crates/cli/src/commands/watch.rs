//! `swarmlab watch`: shows a recorded run, a simulation that goes on, or a lesson, on a page.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, ValueHint};
use serde_json::Value;
use swarmlab_experiments::lesson::{self, Lesson};
use swarmlab_experiments::scenario::{Scenario, builtin};
use swarmlab_experiments::units::parse_billionths;
use swarmlab_trace::{MAGIC, Reader};
use swarmlab_web::{Entry, Kind, Show, Shows, Source, Speed};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::live;
use crate::scenario;
use crate::sound;
use crate::watching::{Place, Watching, name_of, scratch};

/// Before the name of a lesson.
pub(super) const LESSON: &str = "lesson:";
/// Before the name of a scenario on the menu.
const SCENARIO: &str = "scenario:";

/// Watch a swarm on a page in the browser: a recorded run, a simulation, or a lesson
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab watch                       a menu of lessons and scenarios
  swarmlab watch lesson:choke          a question, a run, and its answer
  swarmlab watch flash-crowd --speed 20
  swarmlab watch run.swt               what swarmlab sim --trace has recorded

The page is served on this machine only, until Ctrl-C. A simulation runs while the page is open: it
can be paused, go step by step, faster or slower, and at its end the whole run can be looked at.")]
pub struct Watch {
    /// A trace, a scenario (a name or a file), or lesson:NAME [default: a menu]
    #[arg(value_name = "WHAT", value_hint = ValueHint::FilePath)]
    what: Option<String>,
    /// Address of the page, on loopback; port 0 takes a free one
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Do not open a browser
    #[arg(long)]
    no_open: bool,
    /// Seconds of a simulation in a second, 0 as fast as it goes [default: so that it lasts about 20 s]
    #[arg(long, value_name = "TIMES", value_parser = parse_speed)]
    speed: Option<Speed>,
    /// Seed of everything drawn at random [default: the scenario's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Change a value of the scenario before (repeat), such as client.unchoke_slots=6
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    let thousandths = parse_billionths(text).map(|billionths| (billionths / 1_000_000, billionths));
    match thousandths {
        Some((0, 1..)) | None => Err("a speed is a number such as 2 or 0.5, or 0".to_owned()),
        Some((thousandths, _)) => Ok(Speed(thousandths)),
    }
}

/// What there is to watch, once it is known to be sound as far as that can be told at once.
enum Subject {
    Menu,
    Lesson(String),
    Scenario(Box<Scenario>, String),
    Trace(PathBuf),
}

impl Watch {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let subject = self.subject(env)?;
        let dir = scratch(env)?;
        let ends = env.stop().flag().clone();
        let first = match &subject {
            Subject::Menu => None,
            Subject::Lesson(name) => Some(teach(name, dir.path()).map_err(Error::failed)?),
            Subject::Scenario(scenario, text) => {
                let path = dir.path().join("run.swt");
                Some(live::start(scenario, text, &path, self.speed, ends.clone()).map_err(Error::failed)?)
            }
            Subject::Trace(path) => {
                Some(Show { name: name_of(path), lesson: Value::Null, source: Source::File(path.clone()) })
            }
        };
        let place = Place { listen: self.listen, opens: !self.no_open };
        let watching = Watching::start(env, place, shows(first, dir.path().to_owned(), ends))?;
        env.out().line(watching.url())?;
        if let Subject::Trace(path) = &subject {
            look_through(env, self.what.as_deref().unwrap_or_default(), path);
        }
        watching.stay(env)?;
        Ok(env.stop().exit().unwrap_or(Exit::Done))
    }

    fn subject(&self, env: &Env) -> Result<Subject, Error> {
        let Some(what) = &self.what else { return self.without_changes(Subject::Menu, "the menu") };
        if let Some(name) = what.strip_prefix(LESSON) {
            known(name)?;
            return self.without_changes(Subject::Lesson(name.to_owned()), "a lesson");
        }
        if builtin::find(what).is_none() && begins_as_trace(env, what)? {
            return self.without_changes(Subject::Trace(env.resolve(what)), "a recorded run");
        }
        let source = scenario::find(env, what)?;
        let seed = self.seed.map(|seed| format!("seed={seed}"));
        let sets: Vec<String> = self.sets.iter().cloned().chain(seed).collect();
        let scenario = source.parse(&sets).map_err(|error| scenario::refuse(what, &error))?;
        Ok(Subject::Scenario(Box::new(scenario), source.text))
    }

    fn without_changes(&self, subject: Subject, what: &str) -> Result<Subject, Error> {
        let flags = [
            ("--set", !self.sets.is_empty()),
            ("--seed", self.seed.is_some()),
            ("--speed", self.speed.is_some()),
        ];
        match flags.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Error::invalid(format!("{flag} changes a simulation; this is {what}"))),
            None => Ok(subject),
        }
    }
}

/// Whether a file is a trace, or means to be: another one may be a scenario.
fn begins_as_trace(env: &Env, typed: &str) -> Result<bool, Error> {
    let mut start = Vec::new();
    let path = env.resolve(typed);
    // A file that is not there may be a misspelt scenario, which has the better message.
    let Ok(file) = File::open(&path) else { return Ok(false) };
    file.take(MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(|error| Error::failed(format!("cannot read {typed}")).because(error))?;
    if start == MAGIC || typed.ends_with(".swt") {
        let file = File::open(&path)
            .map_err(|error| Error::failed(format!("cannot read {typed}")).because(error))?;
        // What stands at the beginning must be right; what is wrong further on is told when the page is there.
        if let Err(error) = Reader::new(BufReader::new(file)) {
            return Err(sound::unreadable(typed, error));
        }
        return Ok(true);
    }
    Ok(false)
}

/// Reads a trace to its end and warns of what is wrong with it.
fn look_through(env: &Env, typed: &str, path: &Path) {
    let Ok(file) = File::open(path) else { return };
    if let Ok(Some(flaw)) = sound::flaw(BufReader::new(file), env.stop().flag()) {
        env.warn(format_args!("{typed}: {flaw}; the page shows what comes before"));
    }
}

/// The lesson of this name.
pub(super) fn known(name: &str) -> Result<Lesson, Error> {
    lesson::find(name).ok_or_else(|| {
        let help = match lesson::nearest(name) {
            Some(near) => format!("did you mean {LESSON}{near}?"),
            None => format!("there are {}", lesson::names().collect::<Vec<_>>().join(", ")),
        };
        Error::invalid(format!("there is no lesson {name}")).help(help)
    })
}

/// All there is to see: this first, and the menu.
fn shows(first: Option<Show>, dir: PathBuf, ends: Arc<AtomicBool>) -> Shows {
    Shows::new(first, menu(), move |open| {
        if let Some(name) = open.strip_prefix(LESSON) {
            return teach(name, &dir);
        }
        let name = open.strip_prefix(SCENARIO).unwrap_or(open);
        let found = builtin::find(name).ok_or("there is no such scenario")?;
        let scenario = found.parse(&[]).map_err(|error| error.to_string())?;
        live::start(&scenario, found.text, &dir.join(format!("scenario-{name}.swt")), None, ends.clone())
    })
}

fn menu() -> Vec<Entry> {
    let lessons = lesson::names().filter_map(lesson::find).map(|lesson| Entry {
        open: format!("{LESSON}{}", lesson.name),
        kind: Kind::Lesson,
        name: lesson.name,
        title: lesson.title,
        question: lesson.question,
    });
    let scenarios = builtin::all().iter().map(|found| Entry {
        open: format!("{SCENARIO}{}", found.name),
        kind: Kind::Scenario,
        name: found.name.to_owned(),
        title: found.name.to_owned(),
        question: found.parse(&[]).ok().and_then(|scenario| scenario.about).unwrap_or_default(),
    });
    lessons.chain(scenarios).collect()
}

/// Makes the run of a lesson; the error is a sentence.
fn teach(name: &str, dir: &Path) -> Result<Show, String> {
    let lesson = lesson::find(name).ok_or("there is no such lesson")?;
    let taught = lesson.teach().map_err(|error| error.to_string())?;
    let path = dir.join(format!("lesson-{name}.swt"));
    std::fs::write(&path, &taught.trace).map_err(|error| error.to_string())?;
    Ok(Show { name: lesson.title, lesson: taught.page, source: Source::File(path) })
}
