//! `predict` and `calibrate` in process.

use std::fs;

use serde_json::Value;

use crate::testing::{run, run_in};

const SMALL: [&str; 9] =
    ["predict", "--size", "2 MiB", "--nodes", "8", "--up", "4 Mbit/s", "--origin-up", "8 Mbit/s"];

fn small(more: &[&str]) -> Vec<&'static str> {
    SMALL.into_iter().chain(more.iter().map(|word| -> &'static str { word.to_string().leak() })).collect()
}

#[test]
fn an_answer_for_people() {
    let outcome = run(&small(&["--runs", "2"]));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    for part in [
        "prediction: 2 MiB to 8 nodes, in 128 pieces of 16 KiB",
        "half done",
        "plain HTTP",
        "set by",
        "origin sends",
        "What matters most of",
        "Simulated 2 runs of the question",
    ] {
        assert!(outcome.stdout.contains(part), "{part}: {}", outcome.stdout);
    }
    let widest = outcome.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}: {}", outcome.stdout);
}

#[test]
fn flags_a_file_and_a_scenario_give_the_same() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("nodes.csv"), "count,up\n8,4 Mbit/s\n").unwrap();
    fs::write(
        dir.path().join("same.toml"),
        "schema = \"scenario/1\"\nname = \"prediction\"\n[content]\nsize = \"2 MiB\"\n[[group]]\nname = \"origin\"\nrole = \"seed\"\n\
         up = \"8 Mbit/s\"\n[[group]]\nname = \"nodes\"\nrole = \"leecher\"\ncount = 8\nup = \"4 Mbit/s\"\n",
    )
    .unwrap();
    let file = [
        "predict",
        "--size",
        "2 MiB",
        "--nodes",
        "nodes.csv",
        "--origin-up",
        "8 Mbit/s",
        "--runs",
        "2",
        "--json",
    ];
    let answers =
        [&small(&["--runs", "2", "--json"])[..], &file, &["predict", "same.toml", "--runs", "2", "--json"]]
            .map(|args| {
                let outcome = run_in(dir.path(), args);
                assert_eq!(outcome.status, 0, "{outcome:?}");
                let mut value = outcome.json();
                assert_eq!(value["schema"], "predict/1");
                value["runs"]["wall_seconds"] = Value::Null;
                value
            });
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    // What is spent on it changes how many runs there are, and nothing else; with --runs not even that.
    assert_eq!(answers[0]["runs"]["left_out"], 0);
}

#[test]
fn a_budget_of_nothing_gives_the_least_there_is() {
    let outcome = run(&small(&["--budget", "0 s", "--threads", "1", "--json"]));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let value = outcome.json();
    assert_eq!((&value["runs"]["base"], &value["runs"]["settings"]), (&2.into(), &0.into()));
    assert_eq!(value["settings"].as_array().map(Vec::len), Some(0));
    assert!(value["runs"]["left_out"].as_u64() > Some(5));
}

#[test]
fn coarse_blocks_are_told() {
    let outcome = run(&small(&["--piece-length", "256 KiB", "--block", "64 KiB", "--runs", "2"]));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.stdout.contains("Blocks of 64 KiB stand for 4 of 16 KiB each"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("so the times above have"), "{}", outcome.stdout);
}

#[test]
fn bad_questions_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bad.csv"), "count,up\n8,4\n").unwrap();
    fs::write(dir.path().join("bad.toml"), "schema = \"scenario/1\"").unwrap();
    for (args, status, told) in [
        (&["predict"][..], 2, "--size"),
        (&["predict", "--size", "1 MiB"], 2, "--nodes"),
        (&["predict", "--size", "1 MiB", "--nodes", "5"], 2, "the nodes need an uplink"),
        (&["predict", "--size", "1 MiB", "--nodes", "5", "--up", "5"], 2, "needs a unit"),
        (&["predict", "--size", "1 MiB", "--nodes", "0", "--up", "5 MB/s"], 2, "0 nodes"),
        (&["predict", "--size", "1 MiB", "--nodes", "bad.csv"], 2, "line 2: up is '4'"),
        (&["predict", "--size", "1 MiB", "--nodes", "none.csv"], 1, "cannot read the file of nodes none.csv"),
        (&["predict", "--size", "1 MiB", "--nodes", "bad.csv", "--up", "1 MB/s"], 2, "bad.csv' is none"),
        (
            &["predict", "--size", "1 MiB", "--nodes", "2", "--up", "1 MB/s", "--start", "soon"],
            2,
            "within 10 min",
        ),
        (
            &["predict", "--size", "1 MiB", "--nodes", "2", "--up", "1 MB/s", "--latency", "1 us"],
            2,
            "makes no valid scenario",
        ),
        (
            &["predict", "--size", "1 MiB", "--nodes", "2", "--up", "1 MB/s", "--set", "client.slots=1"],
            2,
            "client.slots",
        ),
        (&["predict", "bad.toml"], 2, "bad.toml is not a valid scenario"),
        (&["predict", "quickstart", "--size", "1 MiB"], 2, "cannot be used with"),
        (&["predict", "quickstart", "--calibration", "bad.csv"], 2, "is no calibration"),
        (&["calibrate", "none"], 1, "cannot read none"),
        (&["calibrate", "."], 2, "holds no result"),
    ] {
        let outcome = run_in(dir.path(), args);
        assert_eq!(outcome.status, status, "{args:?}: {outcome:?}");
        assert!(outcome.stderr.contains(told), "{args:?}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_swarm_that_does_not_end_has_no_prediction() {
    let outcome = run(&small(&["--set", "group.origin.leave={ kind = \"after\", time = \"1 s\" }"]));
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(
        outcome.stderr.contains("before all nodes were complete: nobody held piece"),
        "{}",
        outcome.stderr
    );
}

/// The way of the docs: a small run, what it tells of the network, a prediction with it.
#[test]
fn a_run_calibrates_a_prediction() {
    let dir = tempfile::tempdir().unwrap();
    let ask = |args: &[&str]| {
        let outcome = run_in(dir.path(), args);
        assert_eq!(outcome.status, 0, "{args:?}: {outcome:?}");
        outcome
    };
    let base = [
        "quickstart",
        "--set",
        "content.size=24 MiB",
        "--set",
        "group.leeches.count=6",
        "--set",
        "group.leeches.arrive=together",
    ];
    // A network that gives nine tenths of what its scenario says.
    let slower = [
        "--set",
        "group.origin.up=18 Mbit/s",
        "--set",
        "group.leeches.up=4500 kbit/s",
        "--set",
        "group.leeches.down=45 Mbit/s",
    ];
    let real: Vec<&str> = ["sim"]
        .into_iter()
        .chain(base)
        .chain(slower)
        .chain(["--set", "expect={}", "--runs", "6", "--seed", "50", "-o", "real", "-q"])
        .collect();
    ask(&real);
    let scenario: Vec<&str> = ["scenario", "show"].into_iter().chain(base).chain(["--resolved"]).collect();
    fs::write(dir.path().join("said.toml"), ask(&scenario).stdout).unwrap();
    let told = ask(&["calibrate", "real", "--scenario", "said.toml", "-o", "network.toml"]);
    assert!(told.stdout.contains("of their nominal rate"), "{}", told.stdout);
    let fit = ask(&["calibrate", "real", "--scenario", "said.toml", "--json"]).json();
    let rate = fit["calibration"]["rate"].as_f64().unwrap();
    assert!((0.85..0.95).contains(&rate), "{fit}");
    let answer =
        ask(&["predict", "said.toml", "--calibration", "network.toml", "--runs", "2", "--json"]).json();
    assert_eq!(answer["calibration"]["rate"], fit["calibration"]["rate"]);
    let again = run_in(dir.path(), &["calibrate", "real", "--scenario", "said.toml", "-o", "network.toml"]);
    assert_eq!(again.status, 1, "a file is not replaced: {again:?}");
}
