//! What a command may touch of the world outside: its streams, its directory, its style, the request to stop.

use std::error::Error as StdError;
use std::ffi::OsStr;
use std::io::{self, BufWriter, IsTerminal as _, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::args::Global;
use crate::error::Error;
use crate::picture::Size;
use crate::progress::Progress;
use crate::stop::Stop;
use crate::style::Palette;
use crate::text::printable;

/// The world as a command sees it.
pub struct Env {
    stdin: Mutex<Box<dyn Read + Send>>,
    stdout: Mutex<Sink>,
    stderr: Mutex<Sink>,
    out_style: Palette,
    err_style: Palette,
    in_terminal: bool,
    err_terminal: bool,
    quiet: bool,
    verbose: u8,
    dir: PathBuf,
    stop: Stop,
}

/// What a test hands to [`Env::new`] in place of the process's own streams.
pub struct Streams {
    /// Standard input, and whether it is a terminal.
    pub stdin: (Box<dyn Read + Send>, bool),
    /// Standard output, and whether it is a terminal.
    pub stdout: (Box<dyn Write + Send>, bool),
    /// Standard error, and whether it is a terminal.
    pub stderr: (Box<dyn Write + Send>, bool),
}

impl Env {
    /// The environment of the running process.
    pub fn system(global: &Global, stop: Stop) -> Env {
        let draws = draws(std::env::var_os("TERM").as_deref());
        let streams = Streams {
            stdin: (Box::new(io::stdin()), io::stdin().is_terminal()),
            stdout: (Box::new(io::stdout()), draws && io::stdout().is_terminal()),
            stderr: (Box::new(io::stderr()), draws && io::stderr().is_terminal()),
        };
        Env::new(global, stop, streams, PathBuf::new())
    }

    /// An environment over these streams; relative paths are taken from `dir` (empty: the process's own directory).
    pub fn new(global: &Global, stop: Stop, streams: Streams, dir: PathBuf) -> Env {
        let (stdin, in_terminal) = streams.stdin;
        let (stdout, out_terminal) = streams.stdout;
        let (stderr, err_terminal) = streams.stderr;
        Env {
            stdin: Mutex::new(stdin),
            stdout: Mutex::new(Sink::new(stdout)),
            stderr: Mutex::new(Sink::new(stderr)),
            out_style: Palette::new(global.color.applies(out_terminal)),
            err_style: Palette::new(global.color.applies(err_terminal)),
            in_terminal,
            err_terminal,
            quiet: global.quiet,
            verbose: global.verbose,
            dir,
            stop,
        }
    }

    /// Standard input.
    pub fn stdin(&self) -> MutexGuard<'_, Box<dyn Read + Send>> {
        self.stdin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Standard output, for results. Hold the guard while printing many lines: it flushes when dropped. A reader
    /// that has gone away is not an error: what is written after that is dropped quietly.
    pub fn out(&self) -> Guard<'_> {
        Guard(self.stdout.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Standard error, for everything that is not a result.
    pub fn err(&self) -> Guard<'_> {
        Guard(self.stderr.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The styles of standard output.
    pub fn out_style(&self) -> Palette {
        self.out_style
    }

    /// The styles of standard error.
    pub fn err_style(&self) -> Palette {
        self.err_style
    }

    /// Whether standard input is a terminal, where somebody may wonder what is waited for.
    pub fn in_is_terminal(&self) -> bool {
        self.in_terminal
    }

    /// Whether standard error is a terminal, where a progress bar may be drawn.
    pub fn err_is_terminal(&self) -> bool {
        self.err_terminal
    }

    /// The size of the terminal that standard error is, now; the usual one where it is none.
    pub fn err_size(&self) -> Size {
        let found = terminal_size::terminal_size_of(io::stderr());
        found.map_or(Size { columns: 80, lines: 24 }, |(width, height)| Size {
            columns: width.0.into(),
            lines: height.0.into(),
        })
    }

    /// How often `-v` was given.
    pub fn verbose(&self) -> u8 {
        self.verbose
    }

    /// Whether `-q` was given: no progress and no notes; warnings and errors stay.
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// The request to stop that Ctrl-C and SIGTERM make.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Where a path the user typed lies. Print the path as typed, open this one.
    pub fn resolve(&self, typed: impl AsRef<Path>) -> PathBuf {
        self.dir.join(typed)
    }

    /// Shows how far some work over `total` bytes has come: a bar, a line every 10 s, or nothing with `-q`.
    pub fn progress(&self, what: &'static str, total: u64) -> Progress<'_> {
        Progress::new(self, what, total, Duration::from_secs(10))
    }

    /// Tells something on stderr that is no result, unless `-q`.
    pub fn note(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            let _ = writeln!(self.err(), "{text}");
        }
    }

    /// Warns on stderr, `-q` or not.
    pub fn warn(&self, text: impl std::fmt::Display) {
        let _ = writeln!(self.err(), "{} {text}", self.err_style.warn("warning:"));
    }

    /// Prints a JSON document, indented, to standard output. `schema` (`name/1`) becomes its first field.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn json(&self, schema: &'static str, document: &impl Serialize) -> Result<(), Error> {
        #[derive(Serialize)]
        struct Document<'a, T> {
            schema: &'static str,
            #[serde(flatten)]
            rest: &'a T,
        }
        let mut out = self.out();
        serde_json::to_writer_pretty(&mut out, &Document { schema, rest: document })
            .map_err(|error| Error::failed("cannot write the output").because(io::Error::from(error)))?;
        out.line("")
    }

    /// Prints bytes to standard output as they are.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn print(&self, bytes: &[u8]) -> Result<(), Error> {
        self.out().write_all(bytes).map_err(|error| OutputError(error).into())
    }

    /// Prints an error with its causes and the next step. A cause that the message before it ends with is not told
    /// again: many errors name theirs. Names of files may hold anything, so nothing is printed that steers a terminal.
    pub fn report(&self, error: &Error) {
        let style = self.err_style;
        let mut err = self.err();
        let mut told = error.to_string();
        let _ = writeln!(err, "{} {}", style.bad("error:"), printable(&told));
        if !error.lines().is_empty() {
            let _ = writeln!(err);
            error.lines().iter().for_each(|line| _ = writeln!(err, "{}", printable(line)));
        }
        let mut cause = StdError::source(error);
        while let Some(error) = cause {
            let words = error.to_string();
            if !told.ends_with(&words) {
                let _ = writeln!(err, "  {} {}", style.dim("because:"), printable(&words));
                told = words;
            }
            cause = error.source();
        }
        if let Some(help) = error.next_step() {
            let _ = writeln!(err, "  {} {}", style.code("help:"), printable(help));
        }
    }

    /// Runs async work to its end on a runtime with a worker per core.
    ///
    /// # Errors
    /// When the system refuses the threads.
    pub fn block_on<F: Future>(&self, work: F) -> Result<F::Output, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::failed("cannot start the worker threads").because(error))?;
        let result = runtime.block_on(work);
        // A task stuck in a blocking system call must not keep the process alive.
        runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(result)
    }

    /// Tells whether everything printed on standard output got out.
    ///
    /// # Errors
    /// The first error met in writing, such as a full disk; a reader that has gone away is none.
    pub fn flush(&self) -> Result<(), Error> {
        let mut out = self.out();
        out.0.flush().map_err(OutputError)?;
        match out.0.failed.take() {
            Some(error) => Err(OutputError(error).into()),
            None => Ok(()),
        }
    }
}

/// Whether a terminal of this name (`TERM`) takes colours and moves of the cursor. A `dumb` one, such as the shell of an
/// editor, shows them as they are.
fn draws(name: Option<&OsStr>) -> bool {
    name.is_none_or(|name| name != "dumb")
}

/// Standard output could not be written.
#[derive(Debug)]
pub struct OutputError(pub io::Error);

/// A locked stream; flushes when dropped.
pub struct Guard<'a>(MutexGuard<'a, Sink>);

impl Guard<'_> {
    /// Prints a line.
    ///
    /// # Errors
    /// When the stream cannot be written, unless its reader has gone away.
    pub fn line(&mut self, text: impl std::fmt::Display) -> Result<(), Error> {
        writeln!(self, "{text}").map_err(|error| OutputError(error).into())
    }
}

impl Write for Guard<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.flush() {
            self.0.failed.get_or_insert(error);
        }
    }
}

/// A stream that falls silent once its reader has gone away.
struct Sink {
    stream: BufWriter<Box<dyn Write + Send>>,
    gone: bool,
    failed: Option<io::Error>,
}

impl Sink {
    fn new(stream: Box<dyn Write + Send>) -> Sink {
        Sink { stream: BufWriter::new(stream), gone: false, failed: None }
    }

    fn forgive<T>(&mut self, result: io::Result<T>, instead: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(instead)
            }
            other => other,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        let result = self.stream.write(bytes);
        self.forgive(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        let result = self.stream.flush();
        self.forgive(result, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn env_writing_to(kind: io::ErrorKind) -> Env {
        let streams = Streams {
            stdin: (Box::new(io::empty()), false),
            stdout: (Box::new(Broken(kind)), false),
            stderr: (Box::new(io::sink()), false),
        };
        Env::new(&Global::default(), Stop::default(), streams, PathBuf::new())
    }

    #[test]
    fn a_reader_that_has_gone_away_is_no_error() {
        let env = env_writing_to(io::ErrorKind::BrokenPipe);
        env.out().line("x").unwrap();
        env.out().line("x").unwrap();
        env.flush().unwrap();
    }

    #[test]
    fn a_cause_that_was_named_already_is_not_told_again() {
        let recorder = crate::testing::Recorder::default();
        let io = || io::Error::new(io::ErrorKind::StorageFull, "no space left");
        recorder.env(&[], false).report(&Error::failed("cannot write a: no space left").because(io()));
        recorder.env(&[], false).report(&Error::failed("cannot write b").because(io()).help("try\x1b[2J"));
        let expected = "error: cannot write a: no space left\n\
                        error: cannot write b\n  because: no space left\n  help: try\\u{1b}[2J\n";
        assert_eq!(recorder.stderr(), expected);
    }

    #[test]
    fn a_dumb_terminal_gets_plain_text() {
        assert!(!draws(Some(OsStr::new("dumb"))));
        assert!(draws(Some(OsStr::new("xterm"))) && draws(None));
    }

    #[test]
    fn a_full_disk_is_reported_at_the_end() {
        let env = env_writing_to(io::ErrorKind::StorageFull);
        let _ = env.out().line("x");
        let error = env.flush().unwrap_err();
        assert_eq!(error.to_string(), "cannot write the output");
        assert_eq!(error.exit(), crate::exit::Exit::Failed);
    }
}
