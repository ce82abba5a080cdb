//! The page in a real browser: `swarmlab watch` and `swarmlab report` on one side, Chromium driven by `web-ui/tests/browser` on
//! the other.
//!
//! Where the browser or its driver is not installed, a test prints `LEFT OUT: <test> (needs <package>)` and counts as ignored;
//! with `SWARMLAB_REQUIRE_ALL=1` in the environment it is a failure. Screenshots go to `SWARMLAB_SHOTS`, or to the temporary
//! directory of the build. Every test ends by its own deadline, and what it started ends with it.

#![allow(clippy::print_stdout, reason = "a test harness reports on standard output")]

#[path = "../shared/process.rs"]
mod process;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::process::{LOOK_AGAIN, Process};

/// The binary under test.
const SWARMLAB: &str = env!("CARGO_BIN_EXE_swarmlab");
/// The longest that one test may take.
const LIMIT: Duration = Duration::from_secs(180);
/// The sources of the page, with its tests and their driver.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web-ui");

/// One way to get at the page.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// The test, and what the script is told.
    mode: &'static str,
    /// What is watched, or made a page of.
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// `swarmlab watch` with a trace of this scenario.
    Recorded(&'static str),
    /// `swarmlab report` with a trace of this scenario.
    Page(&'static str),
    /// `swarmlab watch` with these arguments.
    Watch(&'static [&'static str]),
}

const CASES: [Case; 4] = [
    Case { mode: "file", what: What::Recorded("quickstart") },
    Case { mode: "alone", what: What::Page("quickstart") },
    Case {
        mode: "live",
        what: What::Watch(&["quickstart", "--set", "group.leeches.count=8", "--speed", "4"]),
    },
    Case { mode: "lesson", what: What::Watch(&["lesson:choke"]) },
];

/// The names of tests that could not run and what they lacked.
type LeftOut = Arc<Mutex<Vec<String>>>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A browser keeps a machine busy by itself.
    arguments.test_threads = arguments.test_threads.or(Some(1));
    let left_out = LeftOut::default();
    let trials = CASES.map(|case| trial(case, Arc::clone(&left_out))).into();
    let conclusion = libtest_mimic::run(&arguments, trials);
    for line in left_out.lock().expect("no test holds the list when it panics").iter() {
        println!("{line}");
    }
    conclusion.exit_code()
}

fn trial(case: Case, left_out: LeftOut) -> Trial {
    Trial::ignorable_test(format!("page_{}", case.mode), move || {
        let Some(lacking) = lacking() else { return Ok(run(case).map(|()| Completion::Completed)?) };
        if env::var("SWARMLAB_REQUIRE_ALL").is_ok_and(|value| value == "1") {
            return Err(Failed::from(format!("SWARMLAB_REQUIRE_ALL=1, and this test needs {lacking}")));
        }
        let line = format!("LEFT OUT: page_{} (needs {lacking})", case.mode);
        left_out.lock().expect("no test holds the list when it panics").push(line);
        Ok(Completion::ignored_with(format!("needs {lacking}")))
    })
}

/// What the tests need and this machine does not have.
fn lacking() -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let present = |program: &str| env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let packages = [("chromium", "chromium"), ("node", "nodejs"), ("npm", "npm")];
    let mut lacking: Vec<&str> =
        packages.iter().filter(|(program, _)| !present(program)).map(|(_, package)| *package).collect();
    if !Path::new(PAGE).join("node_modules/playwright-core").is_dir() {
        lacking.push("npm ci in web-ui");
    }
    (!lacking.is_empty()).then(|| lacking.join(", "))
}

fn run(case: Case) -> Result<(), String> {
    let end = Instant::now() + LIMIT;
    let folder =
        tempfile::tempdir().map_err(|error| format!("cannot make a temporary directory: {error}"))?;
    let trace = folder.path().join("run.swt");
    let mut script = Command::new("npm");
    script.args(["run", "--silent", "test:served"]).current_dir(PAGE).env("SWARMLAB_MODE", case.mode);
    script.env("SWARMLAB_SHOTS", shots(case.mode)?);
    let mut server = None;
    match case.what {
        What::Recorded(scenario) | What::Page(scenario) => {
            swarmlab(&["sim", scenario, "-q", "--trace", text(&trace)], folder.path(), end)?;
            script.env("SWARMLAB_TRACE", &trace);
        }
        What::Watch(_) => {}
    }
    match case.what {
        What::Recorded(_) => server = Some(watch(&[text(&trace)], folder.path())?),
        What::Watch(arguments) => server = Some(watch(arguments, folder.path())?),
        What::Page(_) => {
            let page = folder.path().join("page.html");
            swarmlab(&["report", text(&trace), "-o", text(&page)], folder.path(), end)?;
            script.env("SWARMLAB_URL", format!("file://{}", text(&page)));
        }
    }
    if let Some(server) = &mut server {
        script.env("SWARMLAB_URL", url(server, end)?);
    }
    let mut browser = Process::start("browser", script, folder.path())?;
    let done = finish(&mut browser, end);
    // Its own last words say most, and the server may know why.
    done.map_err(|error| {
        let served = server.as_ref().map(Process::last_words).unwrap_or_default();
        format!("{error}\n{}{served}", browser.last_words())
    })?;
    server.as_mut().map_or(Ok(()), stop)
}

/// Runs `swarmlab` to its end, which must be good.
fn swarmlab(arguments: &[&str], folder: &Path, end: Instant) -> Result<(), String> {
    let mut command = Command::new(SWARMLAB);
    command.args(arguments);
    let mut process = Process::start(arguments[0], command, folder)?;
    finish(&mut process, end).map_err(|error| format!("{error}\n{}", process.last_words()))
}

fn watch(arguments: &[&str], folder: &Path) -> Result<Process, String> {
    let mut command = Command::new(SWARMLAB);
    command.args(["watch", "--no-open"]).args(arguments);
    Process::start("watch", command, folder)
}

/// The address that `swarmlab watch` prints.
fn url(server: &mut Process, end: Instant) -> Result<String, String> {
    loop {
        if let Some((line, _)) = server.output().split_once('\n') {
            return Ok(line.to_owned());
        }
        if server.ended().is_some() || Instant::now() > end {
            return Err(format!("it printed no address\n{}", server.last_words()));
        }
        thread::sleep(LOOK_AGAIN);
    }
}

fn finish(process: &mut Process, end: Instant) -> Result<(), String> {
    loop {
        match process.ended() {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(format!("it ended with {status}")),
            None if Instant::now() > end => return Err(format!("it took longer than {LIMIT:?}")),
            None => thread::sleep(LOOK_AGAIN),
        }
    }
}

/// Asks the server to end, as Ctrl-C does, and sees that it ends as it should.
fn stop(server: &mut Process) -> Result<(), String> {
    server.stop();
    match server.ended().and_then(|status| status.code()) {
        Some(143) => Ok(()),
        other => Err(format!("SIGTERM should end it with 143, not {other:?}\n{}", server.last_words())),
    }
}

/// Where the pictures of a test go.
fn shots(mode: &str) -> Result<PathBuf, String> {
    let base = env::var_os("SWARMLAB_SHOTS")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("page"), PathBuf::from);
    let folder = base.join(mode);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary directories have plain names")
}
