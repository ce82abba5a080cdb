//! Interop suite: our programs and the clients and trackers people use, in every role, in a private network.
//!
//! A test whose client is not installed prints `LEFT OUT: <test> (needs <package>)`, with a count at the end; it counts
//! as ignored. With `SWARMLAB_REQUIRE_ALL=1` in the environment it is a failure. Every test ends by its own deadline, and
//! what it started ends with it. The command line is libtest's (a filter, `--list`, `--exact`, `--test-threads`), so
//! `cargo test` and `cargo nextest` both drive it.

#![allow(clippy::print_stdout, reason = "a test harness reports on standard output")]

mod clients;
mod content;
#[path = "../shared/left_out.rs"]
mod left_out;
mod namespace;
#[path = "../shared/process.rs"]
mod process;
mod programs;
#[path = "../shared/scrape.rs"]
mod scrape;
mod stage;
mod suite;
mod torrents;
mod tracker;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::left_out::LeftOut;
use crate::namespace::WayIn;
use crate::programs::Program;
use crate::stage::Stage;
use crate::suite::Case;

/// Tests beside each other: they mostly wait (for a choke round, a retry), so more than there are cores.
const BESIDE_EACH_OTHER: usize = 4;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(BESIDE_EACH_OTHER));
    let ground = if namespace::inside() || arguments.list {
        Ok(())
    } else {
        match namespace::find_way_in() {
            Ok(way) => return run_inside(way),
            Err(reason) => Err(reason),
        }
    };
    let left_out = LeftOut::default();
    let cases = suite::cases().into_iter().enumerate();
    let trials = cases.map(|(number, case)| trial(number, case, ground.clone(), &left_out)).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        left_out.report("interop tests");
    }
    conclusion.exit_code()
}

fn run_inside(way: WayIn) -> ExitCode {
    match namespace::run_self_inside(way) {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(101)),
        Err(error) => {
            println!("cannot enter the private network: {error}");
            ExitCode::FAILURE
        }
    }
}

fn trial(number: usize, case: Case, ground: Result<(), String>, left_out: &LeftOut) -> Trial {
    let (name, limit, run) = (case.name, case.limit, case.run);
    let (needs, on_network) = (case.needs, case.on_network);
    let act = move || {
        let number = u16::try_from(number).expect("fewer tests than address blocks");
        run(&Stage::new(number, limit)?)
    };
    left_out.trial(name, move || lacking(&needs, on_network, &ground), act)
}

/// What a test needs and this machine does not have.
fn lacking(needs: &[Program], on_network: bool, ground: &Result<(), String>) -> Option<String> {
    let mut lacking: Vec<String> = Vec::new();
    if let (true, Err(reason)) = (on_network, ground) {
        lacking.push(format!("network namespaces by util-linux and iproute2: {reason}"));
    }
    for program in needs {
        let package = program.package().to_owned();
        if !program.present() && !lacking.contains(&package) {
            lacking.push(package);
        }
    }
    (!lacking.is_empty()).then(|| lacking.join(", "))
}
