//! Two sides made by hand, and the texts that come of them.

use std::fs;

use serde_json::Value;

use super::*;
use crate::results::tests::small;

const SECOND: u64 = 1_000_000;

/// A run of a seed and of leechers in two groups, with these times in seconds; they come at 3 s.
fn run(source: &str, fast: &[u64], slow: &[u64], sent: u64) -> Run {
    let leecher = |group: &str, time: u64| Peer {
        group: group.to_owned(),
        lacks: true,
        join: Some(3 * SECOND),
        complete: Some((3 + time) * SECOND),
        uploaded: sent,
        downloaded: Some(1_000),
    };
    let seed =
        Peer { group: "seed".into(), join: Some(0), complete: Some(0), uploaded: 5_000, ..Peer::default() };
    let fast = fast.iter().map(|&time| leecher("fast", time));
    let slow = slow.iter().map(|&time| leecher("slow", time));
    let peers = std::iter::once(seed).chain(fast).chain(slow).collect();
    Run { source: source.to_owned(), peers, notes: vec!["busy".to_owned()] }
}

fn sample() -> Comparison {
    let real = [run("r1", &[90, 100], &[110, 120], 800), run("r2", &[94, 104], &[114, 124], 800)];
    let simulated = [run("s1", &[80, 90], &[100, 110], 900)];
    Comparison::of(&real, &simulated, Targets::PROJECT)
}

#[test]
fn errors_are_of_means_over_runs() {
    let comparison = sample();
    let json: Value = serde_json::from_str(&comparison.json()).unwrap();
    for (path, value) in [
        ("/schema", Value::from("compare/1")),
        ("/real/1", "r2".into()),
        ("/within", false.into()),
        ("/overall/time/mean/real/mean", 107.0.into()),
        ("/overall/time/mean/real/standard_error", 2.0.into()),
        ("/overall/time/mean/real/runs", 2.into()),
        ("/overall/time/mean/simulated/mean", 95.0.into()),
        ("/overall/time/mean/simulated/standard_error", Value::Null),
        ("/overall/time/mean/error", (-0.112149).into()), // 95 of 107
        ("/overall/time/mean/allowed", 0.05.into()),
        ("/overall/time/mean/within", false.into()),
        ("/overall/time/p50/real/mean", 107.0.into()),
        ("/overall/time/last/real/mean", 122.0.into()),
        ("/overall/time/last/allowed", 0.1.into()),
        ("/overall/distance/raw", 0.375.into()), // at 90 s: one of eight and two of four
        ("/overall/distance/real_raw", 0.25.into()),
        ("/overall/uploaded/error", 0.125.into()),
        ("/overall/share_ratio/simulated/mean", 0.9.into()),
        ("/groups/0/name", "seed".into()),
        ("/groups/0/time", Value::Null),
        ("/groups/0/uploaded/error", 0.0.into()),
        ("/groups/2/name", "slow".into()),
        ("/groups/2/time/mean/real/mean", 117.0.into()),
        ("/overall/completed/real_came", 8.into()),
    ] {
        assert_eq!(json.pointer(path), Some(&value), "{path}");
    }
}

#[test]
fn a_real_run_is_within_what_real_runs_are() {
    let runs: Vec<Run> = (0..4).map(|n| run("r", &[100 + n, 110], &[120, 130 - n], 800)).collect();
    let comparison = Comparison::of(&runs[..3], &runs[3..], Targets::PROJECT);
    assert_eq!(comparison.within, Some(true), "{}", comparison.summary());
    // The same shape twice as slow is no farther in shape, but in time.
    let slow = [run("s", &[200, 220], &[240, 260], 800)];
    let comparison = Comparison::of(&runs[..3], &slow, Targets::PROJECT);
    assert_eq!((comparison.within, comparison.overall.distance.unwrap().within), (Some(false), Some(true)));
}

#[test]
fn who_comes_late_is_timed_from_its_own_join_but_the_last_from_the_first() {
    let mut late = run("r", &[50, 60], &[], 800);
    late.peers[2].join = Some(33 * SECOND);
    late.peers[2].complete = Some(93 * SECOND);
    let comparison =
        Comparison::of(std::slice::from_ref(&late), std::slice::from_ref(&late), Targets::PROJECT);
    let time = comparison.overall.time.unwrap();
    assert_eq!((time.p95.real.mean, time.last.real.mean), (Some(60 * SECOND), Some(90 * SECOND)));
}

#[test]
fn a_terminal_shows_both_sides() {
    let mut comparison = sample();
    comparison.only_real.push("odd\u{1b}".to_owned());
    comparison.overall.completed.real -= 1;
    let text = comparison.summary();
    for part in [
        "real       2 runs: r1, ..\nsimulated  1 run: s1\n\nall leechers (4); of the real ones 7 of 8 completed\n",
        "  mean         107.00 s  2.00 s    95.00 s     -11.2 %    5.0 %  off\n",
        "  share ratio     0.800   0.000      0.900     +12.5 %\n",
        "\nseed (1)\n",
        "\nfast (2)\n",
        "  distance 0.375 raw, ",
        "; real runs have 0.250 and ",
        "\nnote: busy\n\nnot within",
        "\nonly real runs have the group odd\u{fffd}\n",
        "\nnot within every target\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn the_page_and_the_picture_have_both_lines() {
    let mut comparison = sample();
    comparison.overall.name = "<all>".to_owned();
    let (page, picture) = (comparison.page(), comparison.picture());
    assert!(page.contains("&lt;all&gt;") && !page.contains("<all>"));
    assert_eq!(page.matches("<figure>").count(), 4, "times, shapes and two groups");
    for text in [&page, &picture] {
        assert!(text.contains("data-name=\"real\"") && text.contains("data-name=\"simulated\""));
    }
    assert!(picture.starts_with("<svg xmlns=") && picture.matches("<svg").count() == 1);
    assert!(picture.ends_with("</svg>\n") && picture.matches("</svg>").count() == 1);
}

#[test]
fn results_are_read_as_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let case = small();
    case.results().write(&dir.path().join("run-1")).unwrap();
    let mut real = small();
    let notes = vec!["slow".to_owned(), "busy".to_owned()];
    real.info.measured = Some(crate::results::Measured { notes: notes.clone(), ..Default::default() });
    real.results().write(&dir.path().join("run-2")).unwrap();
    let runs = read::runs(dir.path()).unwrap();
    assert_eq!(Run::of("", &case.model, &case.outcome).peers, runs[0].peers);
    assert_eq!((runs.len(), &runs[0].notes, &runs[1].notes), (2, &vec![], &notes));
    assert_eq!(read::runs(&dir.path().join("run-1")).unwrap()[0].peers, runs[0].peers);
    let [seed, one, other] = &runs[0].peers[..] else { panic!("{runs:?}") };
    assert_eq!((seed.group.as_str(), seed.lacks, seed.uploaded), ("origin", false, 2_400_000));
    assert_eq!(one.group, "slow, \"home\"");
    assert_eq!((other.lacks, other.join, other.complete), (true, Some(2_000_000), Some(26_000_001)));
}

#[test]
fn what_is_no_result_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let says = |path: &std::path::Path| read::runs(path).unwrap_err().to_string();
    assert!(says(&dir.path().join("none")).starts_with("cannot read"));
    assert!(says(dir.path()).contains("holds no result"));
    fs::write(dir.path().join("a.csv"), "run\n").unwrap();
    fs::write(dir.path().join("a.config.json"), "{}").unwrap();
    assert!(says(dir.path()).ends_with("a.csv has no row"));
    fs::write(dir.path().join("a.csv"), "run\n1\n").unwrap();
    assert!(says(dir.path()).ends_with("a.csv has no column up_mbit"));
    fs::write(dir.path().join("b.csv"), "").unwrap();
    fs::write(dir.path().join("b.config.json"), "{}").unwrap();
    assert!(says(dir.path()).contains("name one, such as"));
    let mut case = small();
    case.outcome.end = swarmlab_sim::End::Interrupted;
    let stopped = dir.path().join("stopped");
    case.results().write(&stopped).unwrap();
    assert!(says(&stopped).ends_with("was interrupted"));
}
