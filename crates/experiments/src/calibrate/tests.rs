//! What was put into a network is found again: "real" runs here are simulated ones of a network that loses something.

use std::fs;

use swarmlab_sim::{Model, run};

use super::*;
use crate::accuracy::{Peer, Run};
use crate::predict::{Job, Plan};
use crate::results::{Results, RunInfo};
use crate::scenario::{Options, Origin, Scenario};

fn scenario(size: &str, up: &str) -> Scenario {
    let text = format!(
        "schema = \"scenario/1\"\nname = \"small\"\n[content]\nsize = \"{size}\"\n[[group]]\nname = \"origin\"\nrole = \"seed\"\n\
         up = \"{up}\"\n[[group]]\nname = \"nodes\"\nrole = \"leecher\"\ncount = 8\nup = \"{up}\"\n"
    );
    Scenario::parse(&text, &Origin::named("small"), &[]).unwrap()
}

fn model(size: &str) -> Model {
    scenario(size, "4 Mbit/s").model(&Options::default()).unwrap()
}

fn times_of(model: Model) -> Option<Times> {
    let plan = Plan::new("x", model, None, None);
    let outcome = run(plan.model(Job::Base(0)), &mut |_| true).unwrap();
    plan.record(Job::Base(0), &outcome).times
}

fn all(models: Vec<Model>) -> Option<Vec<Option<Times>>> {
    Some(models.into_iter().map(times_of).collect())
}

/// Runs of a network with what it loses, with seeds that the fit does not use.
fn case(size: &str, lost: &Calibration) -> Case {
    let late = |times: Times| {
        let [mean, p50, p95, p99, last] =
            [times.mean, times.p50, times.p95, times.p99, times.last].map(|time| time + lost.startup_us);
        Times { mean, p50, p95, p99, last }
    };
    let real = |seed| Model { seed, ..lost.apply(&model(size)) };
    let runs = (100..106).filter_map(|seed| times_of(real(seed))).map(late).collect();
    Case { name: size.to_owned(), model: model(size), runs }
}

#[test]
fn a_slow_network_with_late_starts_is_told_by_two_lengths() {
    let lost = Calibration { rate: 900_000, startup_us: 4_000_000 };
    let fit = fit(&[case("2 MiB", &lost), case("12 MiB", &lost)], &all).unwrap();
    let found = &fit.calibration;
    assert!(fit.startup_fitted);
    assert!(found.rate.abs_diff(900_000) < 45_000, "{fit:?}");
    assert!(found.startup_us.abs_diff(4_000_000) < 1_500_000, "{fit:?}");
    for case in &fit.cases {
        assert!(case.mean.unwrap().size().millionths() < 50_000, "{case:?}");
        assert!(case.mean_before.unwrap().size().millionths() > 100_000, "{case:?}");
    }
    let text = fit.summary();
    assert!(text.contains("each start takes") && text.contains("12 MiB"), "{text}");
    assert_eq!(Calibration::parse(&fit.file()), Ok(fit.calibration));
}

#[test]
fn one_length_tells_no_start() {
    let lost = Calibration { rate: 850_000, startup_us: 0 };
    let fit = fit(&[case("6 MiB", &lost)], &all).unwrap();
    assert!(!fit.startup_fitted);
    assert_eq!(fit.calibration.startup_us, 0);
    assert!(fit.calibration.rate.abs_diff(850_000) < 45_000, "{fit:?}");
    assert!(fit.file().contains("not told by one length"), "{}", fit.file());
}

#[test]
fn lengths_that_are_close_tell_no_start() {
    // The model is off by 3 % of each, one way and the other: a line through both would have starts take half the time.
    let off = |size: &str, thousandths: u64| {
        let case = case(size, &Calibration::NONE);
        let scale = |times: &Times| Times { mean: times.mean * thousandths / 1_000, ..*times };
        Case { runs: case.runs.iter().map(scale).collect(), ..case }
    };
    let fit = fit(&[off("6 MiB", 1_030), off("9 MiB", 970)], &all).unwrap();
    assert!(!fit.startup_fitted && fit.calibration.startup_us == 0, "{fit:?}");
    assert!(fit.calibration.rate.abs_diff(1_000_000) < 60_000, "{fit:?}");
}

#[test]
fn what_the_runs_do_not_tell_is_refused() {
    let good = case("2 MiB", &Calibration::NONE);
    let scaled = |thousandths: &[u64]| {
        let runs = good.runs.iter().cycle().zip(thousandths);
        let scale = |(times, factor): (&Times, &u64)| Times { mean: times.mean * factor / 1_000, ..*times };
        Case { runs: runs.map(scale).collect(), ..good.clone() }
    };
    let told = |case: Case| fit(&[case], &all).unwrap_err();
    assert!(matches!(told(scaled(&[400, 1_900, 800])), FitError::Uncertain { .. }));
    assert!(matches!(told(scaled(&[20_000, 20_000])), FitError::Absurd(_) | FitError::Insensitive));
    assert_eq!(fit(&[], &all).unwrap_err(), FitError::NoCase);
    assert_eq!(fit(std::slice::from_ref(&good), &|_| None).unwrap_err(), FitError::Stopped);
    let name = good.name.clone();
    let unfinished = |models: Vec<Model>| Some(vec![None; models.len()]);
    assert_eq!(fit(&[good], &unfinished).unwrap_err(), FitError::Unfinished(name));
}

#[test]
fn a_directory_of_results_is_a_case() {
    let dir = tempfile::tempdir().unwrap();
    let scenario = scenario("1 MiB", "4 Mbit/s");
    let model = scenario.model(&Options { seed: Some(9), ..Options::default() }).unwrap();
    let outcome = run(model.clone(), &mut |_| true).unwrap();
    let info = RunInfo { resolved: scenario.resolved_json(), ..RunInfo::default() };
    let results = Results::new(&model, &outcome, info);
    let place = dir.path().join("real");
    results.write(&place).unwrap();
    let case = Case::read(&place, None).unwrap();
    assert_eq!(case.model.groups[1].count, 8);
    assert_eq!(case.model.content.layout, model.content.layout);
    let [times] = case.runs[..] else { panic!("{case:?}") };
    let expected = results.document().groups[1].time.unwrap();
    assert_eq!(Decimal::micros(times.p50), expected.p50);

    let manifest = place.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["resolved"] = serde_json::Value::Null;
    fs::write(&manifest, value.to_string()).unwrap();
    assert!(matches!(Case::read(&place, None), Err(CaseError::NoScenario(_))));
    assert!(Case::read(&place, Some(&scenario)).is_ok());
    assert!(matches!(Case::read(dir.path(), None), Err(CaseError::Read(_))));
}

#[test]
fn a_run_that_is_not_over_says_nothing() {
    let peer = |complete| Peer { lacks: true, join: Some(5), complete, ..Peer::default() };
    let run = |peers| Run { source: "x".to_owned(), peers, notes: Vec::new() };
    assert_eq!(case::times(&run(vec![peer(Some(15)), peer(None)])), None);
    let times = case::times(&run(vec![peer(Some(15)), peer(Some(25))])).unwrap();
    assert_eq!((times.mean, times.p50, times.last), (15, 10, 20));
}
