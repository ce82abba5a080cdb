//! `swarmlab report`: a recorded run, or a lesson, as one file that opens in a browser without this program.

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde_json::Value;
use swarmlab_experiments::units::show_size;
use swarmlab_web::{Show, Source, alone};

use super::create;
use super::watch::{LESSON, known};
use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::sound;
use crate::watching::name_of;

/// Larger pages are a burden to whoever gets them by mail, in bytes.
const LARGE: u64 = 16 << 20;

/// Make one page of a recorded run: a file that opens in a browser, without this program and without network
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab sim quickstart --trace run.swt
  swarmlab report run.swt              makes run.html
  swarmlab report lesson:choke -o choke.html

The page is the one of swarmlab watch, with the trace inside. Of a trace that was cut short it shows
what is there, and the exit status is 4.")]
pub struct Report {
    /// A trace, or lesson:NAME
    #[arg(value_name = "WHAT", value_hint = ValueHint::FilePath)]
    what: String,
    /// The page [default: named after WHAT]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(short, long)]
    force: bool,
}

impl Report {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let typed = self.output.clone().unwrap_or_else(|| self.name());
        let (show, trace, flaw) = self.content(env)?;
        let page = alone::page(&show, &trace);
        create::write(env, &typed, page.as_bytes(), self.force)?;
        env.out().line(typed.display())?;
        let size = page.len() as u64;
        env.note(format_args!("{}; open it in a browser", show_size(size)));
        if size > LARGE {
            env.warn("this is much for a mail; record fewer peers with --trace-peers");
        }
        match flaw {
            None => Ok(Exit::Done),
            Some(flaw) => {
                Err(Error::unfinished(format!("{}: {flaw}", self.what))
                    .help("the page shows what comes before"))
            }
        }
    }

    fn name(&self) -> PathBuf {
        match self.what.strip_prefix(LESSON) {
            Some(name) => PathBuf::from(format!("{name}.html")),
            None => PathBuf::from(name_of(self.what.as_ref())).with_extension("html"),
        }
    }

    /// What is to be seen, its trace, and what is wrong with that.
    fn content(&self, env: &Env) -> Result<(Show, Vec<u8>, Option<String>), Error> {
        if let Some(name) = self.what.strip_prefix(LESSON) {
            let lesson = known(name)?;
            let taught = lesson.teach().map_err(|error| {
                Error::failed(format!("the lesson {name} cannot be given")).because(error)
            })?;
            let show = Show { name: lesson.title, lesson: taught.page, source: Source::None };
            return Ok((show, taught.trace, None));
        }
        let cannot_read = |error| Error::failed(format!("cannot read {}", self.what)).because(error);
        let trace = fs::read(env.resolve(&self.what)).map_err(cannot_read)?;
        let flaw = sound::flaw(&trace[..], env.stop().flag());
        let flaw = flaw.map_err(|error| sound::unreadable(&self.what, error))?;
        let show = Show { name: name_of(self.what.as_ref()), lesson: Value::Null, source: Source::None };
        Ok((show, trace, flaw))
    }
}
