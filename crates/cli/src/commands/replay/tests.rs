use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::testing::{Outcome, run_in};

/// Simulates a scenario with a trace, and gives what `--json` said of it.
fn simulate(dir: &Path, args: &[&str]) -> Value {
    let args = [&["sim"], args, &["--trace", "run.swt", "--json"]].concat();
    let outcome = run_in(dir, &args);
    assert!(outcome.status == 0 || outcome.status == 5, "{outcome:?}");
    outcome.json()
}

fn replay(dir: &Path, args: &[&str]) -> Outcome {
    run_in(dir, &[&["replay", "run.swt"], args].concat())
}

#[test]
fn a_replay_agrees_with_the_run() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["quickstart", "--set", "content.size=4 MiB"][..],
        &["hostile", "--set", "content.size=2 MiB"],
        &["tracker-outage", "--set", "content.size=2 MiB", "--trace-peers", "100000"],
    ] {
        let sim = simulate(dir.path(), args);
        let outcome = replay(dir.path(), &["--json"]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        let replay = outcome.json();
        assert_eq!((&replay["schema"], &replay["lost"]), (&"replay/1".into(), &0.into()));
        assert_eq!((&replay["complete"], &replay["seed"]), (&true.into(), &sim["seed"]));
        for (of_sim, of_replay) in
            sim["groups"].as_array().unwrap().iter().zip(replay["groups"].as_array().unwrap())
        {
            for key in ["name", "role", "joined", "completed", "time"] {
                assert_eq!(of_replay[key], of_sim[key], "{key} of {}", of_sim["name"]);
            }
            // An engine does not count what it never asked for.
            let bytes = |value: &Value| value.as_u64().unwrap();
            assert!(bytes(&of_replay["received"]) >= bytes(&of_sim["downloaded"]));
            assert!(args[0] == "hostile" || of_replay["received"] == of_sim["downloaded"]);
        }
        for message in sim["messages"].as_array().unwrap() {
            let kind = message["kind"].as_str().unwrap();
            assert_eq!(replay["messages"][kind], message["count"], "{kind}");
        }
    }
}

#[test]
fn a_summary_is_for_people() {
    let dir = tempfile::tempdir().unwrap();
    simulate(dir.path(), &["quickstart", "--set", "content.size=1 MiB", "--trace-peers", "5"]);
    let outcome = replay(dir.path(), &[]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
    for words in [
        "quickstart  (simulated run, seed 1)\n  1 MiB in 4 pieces of 256 KiB\n  31 peers joined; the run ended after ",
        "recorded      5 in full, 26 with their pieces\n",
        "  leeches      30    30  ",
        "of the rarest piece there are 31 copies\n",
    ] {
        assert!(outcome.stdout.contains(words), "{words:?} is not in\n{}", outcome.stdout);
    }
}

#[test]
fn lines_are_json_and_can_be_cut_out() {
    let dir = tempfile::tempdir().unwrap();
    simulate(dir.path(), &["quickstart", "--set", "content.size=512 KiB"]);
    let all = replay(dir.path(), &["--json-lines"]);
    assert_eq!(all.status, 0, "{}", all.stderr);
    let lines: Vec<Value> = all.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = replay(dir.path(), &["--json"]).json();
    let of = |record: &str| lines.iter().filter(|line| line["record"] == record).count() as u64;
    for (record, count) in summary["records"].as_object().unwrap() {
        assert_eq!(&Value::from(of(record)), count, "{record}");
    }
    assert_eq!(
        lines.iter().filter(|line| line["message"] == "have none" && line["record"] == "sent").count() as u64,
        summary["messages"]["have none"].as_u64().unwrap()
    );
    let part = replay(dir.path(), &["--json-lines", "--from", "1 s", "--to", "2 s"]);
    let wanted = |line: &&Value| (1_000_000..=2_000_000).contains(&line["at_us"].as_u64().unwrap());
    assert_eq!(part.stdout.lines().count(), lines.iter().filter(wanted).count());
    assert!(part.stdout.lines().count() > 10);
}

#[test]
fn the_state_at_a_moment_is_that_of_the_records_before() {
    let dir = tempfile::tempdir().unwrap();
    simulate(dir.path(), &["quickstart", "--set", "content.size=32 MiB"]);
    let state = replay(dir.path(), &["--at", "11 s", "--json"]).json();
    assert_eq!((&state["schema"], &state["at_us"]), (&"replay-state/1".into(), &11_000_000.into()));
    let nodes = state["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 31);
    // Each end of a link is at the other's end.
    let links = |node: &Value| node["links"].as_array().unwrap().clone();
    let some =
        nodes.iter().flat_map(&links).filter(|link| !link["outstanding"].as_array().unwrap().is_empty());
    assert!(some.count() > 0);
    let early = replay(dir.path(), &["--at", "11 s"]);
    assert!(early.stdout.starts_with("up to 11.0 s:\nquickstart"), "{}", early.stdout);
}

#[test]
fn a_bad_file_is_told_with_what_can_be_done() {
    let dir = tempfile::tempdir().unwrap();
    simulate(dir.path(), &["quickstart", "--set", "content.size=1 MiB"]);
    let good = fs::read(dir.path().join("run.swt")).unwrap();
    let with = |bytes: &[u8]| {
        fs::write(dir.path().join("run.swt"), bytes).unwrap();
        replay(dir.path(), &[])
    };
    let check = |outcome: Outcome, status: u8, words: &[&str]| {
        assert_eq!(outcome.status, status, "{}", outcome.stderr);
        for words in words {
            assert!(outcome.stderr.contains(words), "{words} is not in {}", outcome.stderr);
        }
        outcome.stdout
    };
    assert_eq!(check(with(b"something else"), 2, &["run.swt is no trace", "--trace FILE writes one"]), "");
    let mut later = good.clone();
    later[14] = 2;
    check(with(&later), 2, &["this is a trace of version 2; this program reads version 1"]);
    let cut = good.len() / 2;
    let shown = check(with(&good[..cut]), 4, &["is not whole", &format!("cut short at byte {cut}")]);
    assert!(shown.contains(" peers joined; the run was not ended after "), "{shown}");
    let mut damaged = good.clone();
    damaged[cut] ^= 1;
    let shown = check(with(&damaged), 3, &["is damaged", "its checksum is"]);
    assert!(shown.contains("quickstart"));
    // Without its last frame, which has nine bytes before its body.
    let end = good[..good.len() - 9].iter().rposition(|byte| *byte == 4).unwrap();
    let end =
        (end.saturating_sub(20)..good.len()).rfind(|at| with(&good[..*at]).stderr.contains("has no end"));
    assert!(end.is_some_and(|end| good.len() - end < 30));
    check(run_in(dir.path(), &["replay", "nowhere.swt"]), 1, &["cannot read the trace nowhere.swt"]);
}

#[test]
fn nothing_but_a_trace_is_replaced_by_one() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("film"), "a film").unwrap();
    let outcome = run_in(dir.path(), &["sim", "quickstart", "--trace", "film"]);
    assert_eq!(outcome.status, 1);
    assert!(outcome.stderr.contains("film is there and is no trace"), "{}", outcome.stderr);
    assert_eq!(fs::read(dir.path().join("film")).unwrap(), b"a film");
    // In the directory of the result it is welcome, again and again.
    for _ in 0..2 {
        let args =
            ["sim", "quickstart", "-o", "out", "--trace", "out/trace.swt", "--set", "content.size=256 KiB"];
        assert_eq!(run_in(dir.path(), &args).status % 5, 0);
    }
    assert!(dir.path().join("out/results.json").exists());
}

#[test]
fn the_trace_is_the_same_for_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = |threads| {
        simulate(dir.path(), &["hostile", "--set", "content.size=1 MiB", "--threads", threads]);
        fs::read(dir.path().join("run.swt")).unwrap()
    };
    assert!(bytes("1") == bytes("2"));
}

#[test]
fn a_real_swarm_is_recorded_and_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..700_000u32).map(|byte| (byte % 251) as u8).collect();
    fs::write(dir.path().join("content.bin"), content).unwrap();
    let args = ["swarm", "content.bin", "--leechers", "3", "--json", "--trace", "run.swt"];
    let swarm = run_in(dir.path(), &args);
    assert_eq!(swarm.status, 0, "{}", swarm.stderr);
    let swarm = swarm.json();
    let outcome = replay(dir.path(), &["--json"]);
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    let document = outcome.json();
    assert_eq!(
        (&document["world"], &document["nodes"], &document["lost"]),
        (&"real".into(), &4.into(), &0.into())
    );
    assert_eq!((&document["complete"], &document["present"]), (&true.into(), &0.into()));
    assert_eq!(
        (&document["groups"][0]["joined"], &document["groups"][1]["completed"]),
        (&1.into(), &3.into())
    );
    let sum = |key: &str| {
        swarm["peers"].as_array().unwrap().iter().map(|peer| peer[key].as_u64().unwrap()).sum::<u64>()
    };
    let received: u64 =
        document["groups"].as_array().unwrap().iter().map(|group| group["received"].as_u64().unwrap()).sum();
    assert_eq!(received, sum("downloaded"));
    assert_eq!(document["announces_answered"], swarm["announces"]);
    // The bytes of the torrent and of the announces are there.
    let lines = replay(dir.path(), &["--json-lines"]).stdout;
    assert!(lines.contains("GET /announce?info_hash="), "{lines}");
    assert!(lines.contains(r#""event":"stopped""#) && lines.contains(r#""body":"64383a636f6d706c657465"#));
    // Whatever one engine has received, another has sent.
    let count = |record: &str, message: &str| {
        let record = format!(r#""record":"{record}""#);
        let message = format!(r#""message":"{message}""#);
        lines.lines().filter(|line| line.contains(&record) && line.contains(&message)).count()
    };
    for message in ["piece", "request", "unchoke"] {
        assert!(count("received", message) > 0 && count("received", message) <= count("sent", message));
    }
}
