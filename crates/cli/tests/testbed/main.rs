//! The testbed on the real thing: small swarms of each client, comings and goings, and that nothing is left, however a run
//! ends.
//!
//! Whoever is not root runs them in a user namespace. A test that this machine cannot run (no namespaces, a client that is not
//! installed) prints `LEFT OUT: <test> (needs <what>)`, with a count at the end; with `SWARMLAB_REQUIRE_ALL=1` in the
//! environment it is a failure.

#![allow(clippy::print_stdout, reason = "a test harness reports on standard output")]

mod cases;
mod place;
#[path = "../shared/process.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod process;

use std::env;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use swarmlab_testbed::missing;

use crate::cases::{Case, cases};
use crate::place::Place;

/// Tests beside each other: they mostly wait for links.
const BESIDE_EACH_OTHER: usize = 4;

/// The names of tests that could not run and what they lacked.
type LeftOut = Arc<Mutex<Vec<String>>>;

/// Set for the run inside a user namespace, so that it does not enter again.
const INSIDE: &str = "SWARMLAB_TESTBED_INSIDE";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let elsewhere = if arguments.list { None } else { as_root_of_a_user_namespace() };
    if let Some(status) = elsewhere {
        return status;
    }
    arguments.test_threads = arguments.test_threads.or(Some(BESIDE_EACH_OTHER));
    let left_out = LeftOut::default();
    let trials = cases().into_iter().map(|case| trial(case, Arc::clone(&left_out))).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        let left_out = left_out.lock().expect("no test holds the list when it panics");
        left_out.iter().for_each(|line| println!("{line}"));
        if !left_out.is_empty() {
            println!("LEFT OUT: {} tests of the testbed did not run on this machine", left_out.len());
        }
    }
    conclusion.exit_code()
}

/// Who is not root runs the same tests as that of a namespace, where the system allows it; `None` if this process is to run
/// them itself.
fn as_root_of_a_user_namespace() -> Option<ExitCode> {
    if rustix::process::geteuid().is_root() || env::var_os(INSIDE).is_some() {
        return None;
    }
    let enter = |program: &std::path::Path| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user"]).arg(program);
        command
    };
    let possible = enter("true".as_ref()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    let own = env::current_exe().ok().filter(|_| possible)?;
    let status = enter(&own).args(env::args_os().skip(1)).env(INSIDE, "1").status().ok()?;
    Some(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(101)))
}

fn trial(case: Case, left_out: LeftOut) -> Trial {
    let name = case.name.clone();
    Trial::ignorable_test(name, move || {
        let lacking = missing(case.client).join(", ");
        if lacking.is_empty() {
            (case.run)(&Place::new()?, case.client)?;
            return Ok(Completion::Completed);
        }
        if env::var("SWARMLAB_REQUIRE_ALL").is_ok_and(|value| value == "1") {
            return Err(Failed::from(format!("SWARMLAB_REQUIRE_ALL=1, and this test needs {lacking}")));
        }
        let line = format!("LEFT OUT: {} (needs {lacking})", case.name);
        left_out.lock().expect("no test holds the list when it panics").push(line);
        Ok(Completion::ignored_with(format!("needs {lacking}")))
    })
}
