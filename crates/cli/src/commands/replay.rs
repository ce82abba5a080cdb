//! `swarmlab replay`: reads a trace back: a summary, the state at a moment, or every record as a line of JSON.

use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use swarmlab_experiments::units::{parse_time, show_duration};
use swarmlab_trace::{Item, ReadError, Reader};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::replay::{lines, state, summary::Tally};

/// Read a trace back: what happened in a run
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab sim quickstart --trace run.swt
  swarmlab replay run.swt
  swarmlab replay run.swt --json-lines --from '10 s' --to '11 s'
  swarmlab replay run.swt --json-lines | jq -c 'select(.record == \"choked\")'
  swarmlab replay run.swt --at '30 s' --json | jq '.nodes[3].links'

Of a trace that was cut short, or is still being written, what is whole is shown; the exit status
is 4 then. It is 3 if the trace is damaged, 2 if the file is no trace or one of another version.")]
pub struct Replay {
    /// The trace
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Print a line of JSON for each record
    #[arg(long, conflicts_with_all = ["json", "at"])]
    json_lines: bool,
    /// Only records from this time of the run on
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "json_lines")]
    from: Option<Duration>,
    /// Only records up to this time of the run
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "json_lines")]
    to: Option<Duration>,
    /// Tell how things are at this time of the run; with --json every peer and link (schema replay-state/1)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Duration>,
    /// Print one JSON document (schema replay/1)
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let file = File::open(env.resolve(&self.file)).map_err(|error| self.unreadable(error))?;
        let mut reader = Reader::new(BufReader::new(file)).map_err(|error| self.wrong(error))?;
        if self.json_lines {
            return self.print_lines(env, &mut reader);
        }
        let header = reader.header().clone();
        let mut tally = Tally::new(&header);
        let last = self.at.map_or(u64::MAX, micros);
        let mut wrong = None;
        while !env.stop().flag().load(std::sync::atomic::Ordering::Acquire) {
            match reader.next_item() {
                Ok(Some(Item::Record(entry))) if entry.at > last => break,
                Ok(Some(Item::Record(entry))) => tally.add(&entry),
                Ok(Some(Item::Keyframe(_))) => {}
                Ok(Some(Item::End(end))) => tally.ends(end),
                Ok(None) => {
                    wrong = (!tally.has_end()).then(|| self.has_no_end());
                    break;
                }
                Err(error) => {
                    wrong = Some(self.wrong(error));
                    break;
                }
            }
        }
        match self.at {
            Some(_) if self.json => {
                env.json("replay-state/1", &state::document(&header, tally.state(), last))?;
            }
            _ if self.json => env.json("replay/1", &tally.document(&header))?,
            at => {
                if let Some(at) = at {
                    env.out().line(format_args!("up to {}:", show_duration(at)))?;
                }
                env.print(tally.document(&header).text(&header).as_bytes())?;
            }
        }
        wrong.map_or(Ok(env.stop().exit().unwrap_or(Exit::Done)), Err)
    }

    fn print_lines(&self, env: &Env, reader: &mut Reader<impl Read>) -> Result<Exit, Error> {
        let header = reader.header().clone();
        let (from, to) = (self.from.map_or(0, micros), self.to.map_or(u64::MAX, micros));
        let (mut out, mut has_end) = (env.out(), false);
        while !env.stop().flag().load(std::sync::atomic::Ordering::Acquire) {
            match reader.next_item().map_err(|error| self.wrong(error))? {
                Some(Item::Record(entry)) if entry.at > to => return Ok(Exit::Done),
                Some(Item::Record(entry)) if entry.at < from => {}
                Some(Item::Record(entry)) => out
                    .write_all(lines::line(&entry, &header).as_bytes())
                    .map_err(|error| Error::failed("cannot write the output").because(error))?,
                Some(Item::Keyframe(_)) => {}
                Some(Item::End(_)) => has_end = true,
                None if has_end => return Ok(Exit::Done),
                None => return Err(self.has_no_end()),
            }
        }
        Ok(env.stop().exit().unwrap_or(Exit::Done))
    }

    fn unreadable(&self, error: std::io::Error) -> Error {
        Error::failed(format!("cannot read the trace {}", self.file.display())).because(error)
    }

    fn has_no_end(&self) -> Error {
        Error::unfinished(format!("the trace {} has no end", self.file.display()))
            .help("it was cut short, or is still being written; what is whole was read")
    }

    /// What is wrong with the file, and the exit status for it.
    fn wrong(&self, error: ReadError) -> Error {
        let file = self.file.display();
        match error {
            ReadError::Io { source, .. } => self.unreadable(source),
            ReadError::Foreign => Error::invalid(format!("{file} is no trace"))
                .because(error)
                .help("swarmlab sim SCENARIO --trace FILE writes one"),
            ReadError::Version(_) => Error::invalid(format!("cannot read the trace {file}"))
                .because(error)
                .help("a later swarmlab has written it, and can read it"),
            ReadError::Truncated { .. } => Error::unfinished(format!("the trace {file} is not whole"))
                .because(error)
                .help("what is whole before that was read"),
            ReadError::Checksum { .. } | ReadError::TooLong { .. } => {
                Error::unverified(format!("the trace {file} is damaged"))
                    .because(error)
                    .help("what comes before that was read")
            }
            ReadError::Order { .. } | ReadError::Header { .. } | ReadError::Field { .. } => {
                Error::invalid(format!("the trace {file} cannot be right")).because(error)
            }
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
