//! `sim`: what its result says, that threads do not change it, how it ends, and what it never overwrites.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::process::Process;
use crate::program::{Ended, command, document, has_fields, run};
use crate::running::{wait_for_end, wait_until};

/// A seed and a few leechers, over in a moment; with groups and tables to come behind it.
const SMALL: &str = r#"schema = "scenario/1"
name = "small"
content = { size = "2 MiB", piece_length = "64 KiB" }
[[group]]
name = "origin"
role = "seed"
up = "8 Mbit/s"
[[group]]
name = "leechers"
role = "leecher"
count = 10
up = "2 Mbit/s"
down = "20 Mbit/s"
"#;

/// Runs [`SMALL`] with something behind it, in `folder`.
fn sim(folder: &Path, more: &str, arguments: &[&str]) -> Ended {
    fs::write(folder.join("small.toml"), format!("{SMALL}{more}")).expect("a scenario");
    run(folder, &[&["sim", "small.toml"], arguments].concat())
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

#[test]
fn a_result_has_the_fields_scripts_read() {
    let folder = folder();
    let ended = run(folder.path(), &["sim", "quickstart", "--json", "--check", "--threads", "1"]);
    ended.done();
    let result = ended.document("sim/1");
    has_fields(
        &result,
        &[
            "scenario",
            "seed",
            "threads",
            "digest",
            "simulated_seconds",
            "wall_seconds",
            "events",
            "blocks",
            "bytes_per_node",
            "peak_rss_bytes",
            "bound_seconds",
            "complete",
            "groups",
            "tracker",
            "checks",
        ],
    );
    assert_eq!((&result["scenario"], &result["complete"]), (&"quickstart".into(), &true.into()));
    assert_eq!(result["digest"].as_str().expect("text").len(), 64);
    let leeches = &result["groups"][1];
    has_fields(leeches, &["name", "count", "completed", "time", "uploaded", "downloaded", "share_ratio"]);
    has_fields(&leeches["time"], &["min", "mean", "p50", "p95", "p99", "max"]);
    assert_eq!(leeches["completed"], 30);
    // Each announces that it came and that it is complete; the seed that it came.
    assert!(result["tracker"]["announces"].as_u64() >= Some(61), "{}", result["tracker"]);
    let checks = result["checks"].as_array().expect("a list");
    assert!(checks.len() >= 7 && checks.iter().all(|check| check["ok"] == true), "{checks:?}");
    assert!(result["bound_seconds"].as_f64() <= result["makespan_seconds"].as_f64(), "physics is beaten");
}

#[test]
fn threads_change_nothing_but_the_speed() {
    let folder = folder();
    let result = |threads: &str| {
        let ended = sim(folder.path(), "", &["--json", "--threads", threads, "-o", threads, "-q"]);
        ended.done();
        let peers = fs::read(folder.path().join(threads).join("peers.csv")).expect("peers.csv");
        let timeline = fs::read(folder.path().join(threads).join("timeline.csv")).expect("timeline.csv");
        (ended.document("sim/1")["digest"].clone(), peers, timeline)
    };
    let one = result("1");
    assert!(one.1.iter().filter(|byte| **byte == b'\n').count() == 12, "a row for each of 11 peers");
    assert!(result("2") == one && result("3") == one, "it depends on the threads");
    let other = sim(folder.path(), "", &["--json", "--seed", "2"]);
    assert_ne!(other.document("sim/1")["digest"], one.0, "it does not depend on the seed");
}

#[test]
fn a_directory_has_what_was_run_and_what_came_of_it() {
    let folder = folder();
    let flags = ["-o", "out", "--seed", "7", "--set", "group.leechers.count=4"];
    // A second run into the same directory replaces the first one's files.
    for _ in 0..2 {
        let ended = sim(folder.path(), "", &flags);
        assert!(ended.done().starts_with("small  (seed 7, digest "), "{ended:?}");
    }
    let read = |name: &str| fs::read_to_string(folder.path().join("out").join(name)).expect(name);
    let manifest: Value = serde_json::from_str(&read("manifest.json")).expect("JSON");
    assert_eq!((&manifest["seed"], &manifest["complete"]), (&7.into(), &true.into()));
    assert_eq!((&manifest["resolved"]["seed"], &manifest["scenario_text"]), (&7.into(), &SMALL.into()));
    has_fields(&manifest, &["version", "commit", "platform", "digest"]);
    assert!(read("report.html").contains("<svg") && read("timeline.csv").starts_with("time_s,"));
    assert_eq!(document(&read("results.json"), "sim/1")["digest"], manifest["digest"]);
}

#[test]
fn several_runs_have_seeds_and_directories_of_their_own() {
    let folder = folder();
    let ended = sim(folder.path(), "", &["--runs", "3", "--seed", "7", "-o", "out", "--json"]);
    ended.done();
    let all = ended.document("runs/1");
    let seeds: Vec<_> =
        all["runs"].as_array().expect("a list").iter().map(|run| run["seed"].clone()).collect();
    assert_eq!(seeds, [7, 8, 9]);
    let alone = sim(folder.path(), "", &["--seed", "8", "--json"]).document("sim/1");
    assert_eq!((&all["runs"][1]["schema"], &all["runs"][1]["digest"]), (&"sim/1".into(), &alone["digest"]));
    let manifest = fs::read_to_string(folder.path().join("out/run-2/manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!((&manifest["resolved"]["seed"], &manifest["digest"]), (&8.into(), &alone["digest"]));

    // Fewer runs would leave one that is none of theirs; one run has no directory for each.
    sim(folder.path(), "", &["--runs", "2", "-o", "out"]).refused(1, &["run-3", "another directory"]);
    sim(folder.path(), "", &["-o", "out"]).refused(1, &["run-1"]);
    // What one of them fails, all fail, and all are made.
    let unmet = "[expect]\nefficiency = \"> 1\"\n";
    let ended = sim(folder.path(), unmet, &["--runs", "2", "--seed", "7"]);
    assert_eq!(ended.status, Some(5), "{ended:?}");
    assert!(ended.stdout.starts_with("small  (2 runs)\n"), "{ended:?}");
}

#[test]
fn the_exit_status_says_how_it_ended() {
    let folder = folder();
    let max_time = sim(folder.path(), "[run]\nmax_time = \"3 s\"\n", &[]);
    assert_eq!(max_time.status, Some(4), "{max_time:?}");
    assert!(max_time.stderr.contains("at the longest time, 3.0 s") && max_time.stdout.contains("unfinished"));

    let lost = sim(folder.path(), "", &["--set", "group.origin.leave={kind='at-ratio',ratio=0.5}", "--json"]);
    assert_eq!(lost.status, Some(4), "{lost:?}");
    assert!(lost.stderr.contains("nobody held piece"), "{lost:?}");
    let result = lost.document("sim/1");
    assert_eq!((&result["complete"], &result["end"]), (&false.into(), &"piece-lost".into()));

    let met = "[expect]\n\"leechers.completed\" = \"= 10\"\nefficiency = \"<= 1\"\n";
    sim(folder.path(), met, &[]).done();
    let unmet = sim(folder.path(), met, &["--set", "expect.leechers.time.max=< 1 s"]);
    assert_eq!(unmet.status, Some(5), "{unmet:?}");
    assert!(unmet.stderr.contains("leechers.time.max: expected < 1 s, found "), "{unmet:?}");
}

#[test]
fn what_is_wrong_with_a_scenario_is_said_before_it_runs() {
    let folder = folder();
    let refused = |set: &str, says: &[&str]| sim(folder.path(), "", &["--set", set]).refused(2, says);
    refused("client.unchoke_slot=6", &["client.unchoke_slot=6", "unchoke_slots"]);
    refused("group.leecher.count=6", &["did you mean 'leechers'?"]);
    refused("network.latency=10 us", &["100 us"]);
    refused("run.max_time=60", &["unit"]);
    run(folder.path(), &["sim", "quickstar"]).refused(1, &["did you mean quickstart?"]);
    run(folder.path(), &["sim", "quickstart", "--threads", "0"]).refused(2, &["--threads"]);
}

#[test]
fn a_directory_of_something_else_stays_as_it_is() {
    let folder = folder();
    fs::create_dir(folder.path().join("photos")).expect("a folder");
    fs::write(folder.path().join("photos/peers.csv"), "mine").expect("a file");
    sim(folder.path(), "", &["-o", "photos"]).refused(1, &["photos", "peers.csv", "another directory"]);
    assert_eq!(fs::read(folder.path().join("photos/peers.csv")).expect("the file"), b"mine");
    assert_eq!(fs::read_dir(folder.path().join("photos")).expect("the folder").count(), 1);
}

#[test]
fn a_stopped_run_leaves_partial_results_that_say_so() {
    let folder = folder();
    let endless = format!("{SMALL}[run]\nstop = \"never\"\nmax_time = \"3000 d\"\nsample = \"1 min\"\n");
    fs::write(folder.path().join("endless.toml"), endless).expect("a scenario");
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let arguments = ["sim", "endless.toml", "-o", "out", "--json", "-v"];
        let program = command(folder.path(), &arguments);
        let mut run = Process::start("sim", program, folder.path()).expect("it starts");
        wait_until("its first words", &[&run], || run.last_words().contains("of memory"));
        run.signal(signal);
        assert_eq!(wait_for_end(&mut run), Some(status), "{}", run.last_words());
        let result = document(&run.output(), "sim/1");
        assert_eq!((&result["complete"], &result["end"]), (&false.into(), &"interrupted".into()));
        let manifest = fs::read_to_string(folder.path().join("out/manifest.json")).expect("a manifest");
        let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
        assert_eq!(manifest["complete"], false);
    }
}

#[test]
fn real_bytes_arrive_among_corrupters() {
    let folder = folder();
    let bad = "[[group]]\nname = \"bad\"\nrole = \"seed\"\ncount = 2\nup = \"8 Mbit/s\"\nbehaviour = \"corrupter\"\n";
    let flags = ["--real-bytes", "--check", "--json"];
    let ended = sim(folder.path(), bad, &flags);
    ended.done();
    let real = ended.document("sim/1");
    assert_eq!((&real["true_copies"], &real["groups"][1]["completed"]), (&10.into(), &10.into()));
    assert!(real["groups"][1]["bad_pieces"].as_u64() > Some(0), "nobody met a corrupter");
    let marked = sim(folder.path(), bad, &["--json"]).document("sim/1");
    assert_eq!((&marked["digest"], &marked["true_copies"]), (&real["digest"], &Value::Null));
    // A file of one's own is what moves then.
    fs::write(folder.path().join("film"), vec![7; 300_000]).expect("a file");
    let own = SMALL.replace("size = \"2 MiB\"", "file = \"film\"");
    fs::write(folder.path().join("own.toml"), own).expect("a scenario");
    let ended = run(folder.path(), &["sim", "own.toml", "--real-bytes", "--json"]);
    ended.done();
    assert_eq!(ended.document("sim/1")["true_copies"], 10);
    sim(folder.path(), "", &["--real-bytes", "--set", "content.size=1 GiB"])
        .refused(2, &["11 nodes", "11 GiB", "4 GiB", "--real-bytes"]);
}

/// Every scenario that comes with the program, the large ones with fewer nodes or less content.
#[test]
fn built_in_scenarios_hold_what_they_expect_under_the_checkers() {
    let scenarios: [(&str, &[&str]); 11] = [
        ("quickstart", &[]),
        ("flash-crowd", &["group.leechers.count=100", "content.size=25 MiB", "expect={}"]),
        ("steady-state", &["run.max_time=2 h"]),
        ("slow-seed", &[]),
        ("free-riders", &[]),
        ("seed-leaves", &[]),
        ("tracker-outage", &[]),
        ("hostile", &["content.size=8 MiB"]),
        ("fleet-rollout", &["group.east.count=20", "group.west.count=20", "content.size=200 MB"]),
        ("hundred-thousand", &["group.leechers.count=300"]),
        ("million", &["group.leechers.count=300"]),
    ];
    let folder = folder();
    for (name, sets) in scenarios {
        let sets = sets.iter().flat_map(|set| ["--set", set]);
        let arguments: Vec<&str> = ["sim", name, "--check", "-q"].into_iter().chain(sets).collect();
        let ended = run(folder.path(), &arguments);
        assert_eq!(ended.status, Some(0), "{name}: {}\n{}", ended.stderr, ended.stdout);
        assert!(ended.stdout.contains("\nChecks: 9 of 9 hold\n"), "{name}: {}", ended.stdout);
    }
    let listed = run(folder.path(), &["scenario", "list", "--json"]).document("scenario-list/1");
    let names = listed["scenarios"].as_array().expect("a list").iter().map(|scenario| &scenario["name"]);
    assert!(names.eq(scenarios.map(|(name, _)| name).iter()), "a scenario is not run");
}
