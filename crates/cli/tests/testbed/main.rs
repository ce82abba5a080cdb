//! The testbed on the real thing: small swarms of each client, comings and goings, and that nothing is left, however a run
//! ends.
//!
//! Whoever is not root runs them in a user namespace. A test that this machine cannot run (no namespaces, a client that is not
//! installed) prints `LEFT OUT: <test> (needs <what>)`, with a count at the end; with `SWARMLAB_REQUIRE_ALL=1` in the
//! environment it is a failure.

#![allow(clippy::print_stdout, reason = "a test harness reports on standard output")]

mod cases;
#[path = "../shared/left_out.rs"]
mod left_out;
mod place;
#[path = "../shared/process.rs"]
#[allow(dead_code, reason = "each test target uses its part")]
mod process;

use std::env;
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Trial};
use swarmlab_testbed::missing;

use crate::cases::{Case, cases};
use crate::left_out::LeftOut;
use crate::place::Place;

/// Tests beside each other: they mostly wait for links.
const BESIDE_EACH_OTHER: usize = 4;

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
    let trials = cases().into_iter().map(|case| trial(case, &left_out)).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        left_out.report("tests of the testbed");
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

fn trial(Case { name, client, run }: Case, left_out: &LeftOut) -> Trial {
    let lacking = move || Some(missing(client).join(", ")).filter(|lacking| !lacking.is_empty());
    left_out.trial(name, lacking, move || run(&Place::new()?, client))
}
