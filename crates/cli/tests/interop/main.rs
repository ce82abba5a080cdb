//! Interop suite: our programs and the clients and trackers people use, in every role, in a private network.
//!
//! A test whose client is not installed prints `LEFT OUT: <test> (needs <package>)`, with a count at the end; it counts
//! as ignored. With `SWARMLAB_REQUIRE_ALL=1` in the environment it is a failure. Every test ends by its own deadline, and
//! what it started ends with it. The command line is libtest's (a filter, `--list`, `--exact`, `--test-threads`), so
//! `cargo test` and `cargo nextest` both drive it.

#![allow(clippy::print_stdout, reason = "a test harness reports on standard output")]

mod clients;
mod content;
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

use std::env;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::namespace::WayIn;
use crate::stage::Stage;
use crate::suite::Case;

/// Tests beside each other: they mostly wait (for a choke round, a retry), so more than there are cores.
const BESIDE_EACH_OTHER: usize = 4;

/// The names of tests that could not run and what they lacked.
type LeftOut = Arc<Mutex<Vec<String>>>;

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
    let trials =
        cases.map(|(number, case)| trial(number, case, ground.clone(), Arc::clone(&left_out))).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        report(&left_out.lock().expect("no test holds the list when it panics"));
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

fn trial(number: usize, case: Case, ground: Result<(), String>, left_out: LeftOut) -> Trial {
    let name = case.name.clone();
    Trial::ignorable_test(name, move || {
        let Some(lacking) = lacking(&case, &ground) else {
            let number = u16::try_from(number).expect("fewer tests than address blocks");
            (case.run)(&Stage::new(number, case.limit)?)?;
            return Ok(Completion::Completed);
        };
        if env::var("SWARMLAB_REQUIRE_ALL").is_ok_and(|value| value == "1") {
            return Err(Failed::from(format!("SWARMLAB_REQUIRE_ALL=1, and this test needs {lacking}")));
        }
        let line = format!("LEFT OUT: {} (needs {lacking})", case.name);
        left_out.lock().expect("no test holds the list when it panics").push(line);
        Ok(Completion::ignored_with(format!("needs {lacking}")))
    })
}

/// What a test needs and this machine does not have.
fn lacking(case: &Case, ground: &Result<(), String>) -> Option<String> {
    let mut lacking: Vec<String> = Vec::new();
    if let (true, Err(reason)) = (case.on_network, ground) {
        lacking.push(format!("network namespaces by util-linux and iproute2: {reason}"));
    }
    for program in &case.needs {
        let package = program.package().to_owned();
        if !program.present() && !lacking.contains(&package) {
            lacking.push(package);
        }
    }
    (!lacking.is_empty()).then(|| lacking.join(", "))
}

fn report(left_out: &[String]) {
    for line in left_out {
        println!("{line}");
    }
    if !left_out.is_empty() {
        println!("LEFT OUT: {} interop tests did not run on this machine", left_out.len());
    }
}
