//! Real swarms against simulated ones: each scenario of `docs/fidelity` was run with real clients, whose times lie beside it,
//! and is simulated here with ten seeds. `docs/fidelity.md` has the table that this prints with `--nocapture`.

#![allow(clippy::print_stdout, reason = "the table of docs/fidelity.md is what it prints")]

use std::fs;
use std::path::PathBuf;

use swarmlab_experiments::accuracy::{Comparison, Figure, Run, Targets, read};
use swarmlab_experiments::numbers::{Decimal, Signed};
use swarmlab_experiments::scenario::{Options, Origin, Scenario};

/// Simulated runs of each scenario.
const SEEDS: u64 = 10;

/// The targets, where nothing else is said in `docs/fidelity.md`.
const ALL: Targets = Targets::PROJECT;
/// The same for our own client: 3 % of mean and median.
const OURS: Targets = Targets { centre: 30_000, ..ALL };

const CASES: [(&str, Targets); 17] = [
    ("swarmlab-8", OURS),
    ("swarmlab-12", OURS),
    ("swarmlab-mixed", OURS),
    ("swarmlab-16", OURS),
    ("libtorrent-8", ALL),
    ("libtorrent-12", ALL),
    ("libtorrent-16", ALL),
    ("libtorrent-staggered", ALL),
    ("libtorrent-leaves", ALL),
    ("transmission-8", ALL),
    ("transmission-12", ALL),
    ("transmission-staggered", ALL),
    ("aria2-10", ALL),
    // Measured when the model was done.
    ("swarmlab-10", OURS),
    ("libtorrent-10", ALL),
    ("transmission-10", ALL),
    ("aria2-8", ALL),
];

fn directory() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "docs", "fidelity"].iter().collect()
}

fn simulated(name: &str) -> Vec<Run> {
    let text = fs::read_to_string(directory().join(format!("{name}.toml"))).unwrap();
    let scenario = Scenario::parse(&text, &Origin::named(name), &[]).unwrap();
    let run = |seed| {
        let mut model = scenario.model(&Options::default()).unwrap();
        model.seed = seed;
        let outcome = swarmlab_sim::run(model.clone(), &mut |_| true).unwrap();
        Run::of(name, &model, &outcome)
    };
    (1..=SEEDS).map(run).collect()
}

/// A row of the table, and what is wrong with it.
fn row(name: &str, what: &str, figure: &Figure) -> Option<String> {
    let seconds = |micros: Option<u64>| Decimal::micros(micros.unwrap()).rounded(1);
    let side = |side: &swarmlab_experiments::accuracy::Estimate| {
        format!("{} ± {}", seconds(side.mean), seconds(side.standard_error))
    };
    let (error, allowed) =
        (figure.error.map(Signed::percent).unwrap(), figure.allowed.map(Decimal::percent).unwrap());
    println!(
        "| {name} | {what} | {} | {} | {error} | {allowed} |",
        side(&figure.real),
        side(&figure.simulated)
    );
    (figure.within != Some(true)).then(|| format!("{name}: {what} {error}, allowed {allowed}"))
}

#[test]
fn real_swarms_end_when_simulated_ones_do() {
    let mut findings = Vec::new();
    println!(
        "| scenario | figure | real, s | simulated, s | error | allowed |\n| --- | --- | --- | --- | --- | --- |"
    );
    for (name, targets) in CASES {
        let real = read::runs(&directory().join(format!("{name}.csv"))).unwrap();
        let all = Comparison::of(&real, &simulated(name), targets).overall;
        let time = all.time.unwrap();
        for (what, figure) in [("mean", &time.mean), ("median", &time.p50), ("last", &time.last)] {
            findings.extend(row(name, what, figure));
        }
        let distance = all.distance.unwrap();
        let (far, most) = (distance.shape.rounded(2), distance.allowed.unwrap().rounded(2));
        println!("| {name} | shape | | | {far} | {most} |");
        if distance.within != Some(true) {
            findings.push(format!("{name}: distance of shapes {far}, allowed {most}"));
        }
    }
    assert!(findings.is_empty(), "{findings:#?}");
}
