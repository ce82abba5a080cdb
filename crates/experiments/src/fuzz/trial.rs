//! One draft put to the test: run under the checkers, then again without them, with more threads and with real bytes, which
//! must change nothing; and what an outcome must be in itself.

mod rules;

use std::time::Duration;

use swarmlab_protocol::Random;
use swarmlab_sim::{Model, Outcome};

use super::Draft;
use super::panics::caught;
use crate::scenario::Options;

/// A run is ended after so many events, far beyond what most drawn scenarios need: it would only take long.
const MOST_EVENTS: u64 = 2_000_000;
/// Runs of more events are not repeated with more threads, which wait for each other at every event of the least latency.
const MOST_THREADED: u64 = 200_000;

/// Content up to this length in bytes is also moved for real, for every fourth seed.
const MOST_REAL: u64 = 128 << 10;

/// A rule about what came of a run, beside those that hold for all.
#[derive(Clone, Copy)]
pub struct Rule<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Says what is wrong, if anything.
    pub check: &'a dyn Fn(&Model, &Outcome) -> Option<String>,
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its name: that of a checker of the simulator, or one of this module.
    pub rule: String,
    /// When, where and what.
    pub found: String,
}

/// What came of trying a draft.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// The rules that were broken, the first one first.
    pub findings: Vec<Finding>,
    /// Nodes in the scenario.
    pub nodes: u64,
    /// Blocks delivered, all runs together.
    pub blocks: u64,
    /// Events handled, all runs together.
    pub events: u64,
    /// Simulated time, all runs together.
    pub simulated: Duration,
    /// How often it was run.
    pub runs: u32,
    /// Whether it was ended before all was seen, because the caller wanted so.
    pub interrupted: bool,
}

impl Trial {
    /// Tries a draft. `rules` must hold besides those that always do; `goes_on` is asked now and then, and ends the trial by
    /// answering false.
    pub fn of(draft: &Draft, rules: &[Rule<'_>], goes_on: &dyn Fn() -> bool) -> Trial {
        let mut trial = Trial::default();
        let scenario = match draft.scenario() {
            Ok(scenario) => scenario,
            Err(error) => {
                trial.find("valid-scenario", error.to_string());
                return trial;
            }
        };
        trial.nodes = scenario.node_count();
        let model = |threads, check, real_bytes| {
            let options = Options { threads, check, real_bytes, timeline: true, ..Options::default() };
            scenario.model(&options).map_err(|error| error.to_string())
        };
        let attempt = |trial: &mut Trial, threads, check, real| match model(threads, check, real) {
            Ok(model) => trial.run(model, goes_on),
            Err(error) => {
                trial.find("valid-model", error);
                None
            }
        };
        let Some((model, watched)) = attempt(&mut trial, 1, true, false) else { return trial };
        for check in &watched.checks {
            if let Some(failure) = &check.failure {
                trial.find(check.name, format!("{failure} ({} times)", check.failures));
            }
        }
        for rule in rules::ALL.iter().chain(rules) {
            if let Some(found) = (rule.check)(&model, &watched) {
                trial.find(rule.name, found);
            }
        }
        let threads = threads_for(draft.seed);
        let small = scenario.content.layout.length() <= MOST_REAL && draft.seed.is_multiple_of(4);
        for (rule, wanted, (threads, check, real)) in [
            ("checkers-change-nothing", true, (1, false, false)),
            (
                "threads-change-nothing",
                threads > 1 && watched.events <= MOST_THREADED,
                (threads, true, false),
            ),
            ("real-bytes-change-nothing", small, (1, true, true)),
        ] {
            if !wanted {
                continue;
            }
            let Some((_, other)) = attempt(&mut trial, threads, check, real) else { return trial };
            if let Some(found) = difference(&watched, &other) {
                trial.find(
                    rule,
                    format!("{found} (threads: {threads}, checkers: {check}, real bytes: {real})"),
                );
            }
        }
        trial
    }

    /// Whether a rule of this name was broken.
    pub fn breaks(&self, rule: &str) -> bool {
        self.findings.iter().any(|finding| finding.rule == rule)
    }

    fn find(&mut self, rule: &str, found: String) {
        self.findings.push(Finding { rule: rule.to_owned(), found });
    }

    /// Runs a model; nothing if it panicked, was refused or was interrupted.
    fn run(&mut self, model: Model, goes_on: &dyn Fn() -> bool) -> Option<(Model, Outcome)> {
        let kept = model.clone();
        let mut stopped = false;
        let result = caught(|| {
            swarmlab_sim::run(model, &mut |progress| {
                stopped = !goes_on();
                !stopped && progress.events < MOST_EVENTS
            })
        });
        self.runs += 1;
        self.interrupted |= stopped;
        match result {
            Ok(Ok(_)) if stopped => None,
            Ok(Ok(outcome)) => {
                self.blocks += outcome.blocks;
                self.events += outcome.events;
                self.simulated += outcome.simulated;
                Some((kept, outcome))
            }
            Ok(Err(refused)) => {
                self.find("valid-model", refused.to_string());
                None
            }
            Err(panic) => {
                self.find("no-panic", panic);
                None
            }
        }
    }
}

/// Every third seed is also run by two or three threads.
fn threads_for(seed: u64) -> u16 {
    [1, 1, 1, 1, 2, 3][Random::stream(seed, 0x7468_7265_6164).below(6) as usize]
}

/// What two runs that must be the same differ in.
fn difference(one: &Outcome, other: &Outcome) -> Option<String> {
    if one.digest != other.digest {
        let node = one.peers.iter().zip(&other.peers).position(|(one, other)| one.hash != other.hash);
        return Some(format!("another digest, first at node {node:?}"));
    }
    let same = (one.events, &one.end, one.simulated) == (other.events, &other.end, other.simulated)
        && one.peers == other.peers
        && one.timeline == other.timeline
        && one.messages == other.messages
        && one.flows == other.flows;
    (!same).then(|| "the same digest, another outcome".to_owned())
}
