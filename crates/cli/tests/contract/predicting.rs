//! `predict`: what its result says, and how a real swarm stands beside it.

use std::fs;

use serde_json::Value;

use crate::program::{has_fields, run};

#[test]
fn a_prediction_has_the_fields_scripts_read_and_a_real_swarm_beside_it() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let asked = run(
        folder.path(),
        &[
            "predict",
            "--size",
            "512 KiB",
            "--nodes",
            "3",
            "--up",
            "2 MB/s",
            "--latency",
            "1 ms",
            "--runs",
            "2",
            "--json",
        ],
    );
    asked.done();
    let answer = asked.document("predict/1");
    has_fields(
        &answer,
        &[
            "name",
            "length",
            "piece_length",
            "piece_count",
            "nodes",
            "bound",
            "http",
            "time",
            "origin",
            "binds",
            "settings",
            "classes",
            "coarsening",
            "calibration",
            "seed",
            "runs",
        ],
    );
    for figure in ["mean", "p50", "p95", "p99", "last"] {
        has_fields(&answer["time"][figure], &["seconds", "half", "half_of_one", "least", "most", "runs"]);
    }
    fs::write(folder.path().join("plan.json"), answer.to_string()).expect("a file");
    fs::write(folder.path().join("content"), vec![7; 512 << 10]).expect("content");
    let swarm = ["swarm", "content", "--leechers", "3", "--max-up", "2 MB/s", "--compare", "plan.json"];
    let real = run(folder.path(), &[&swarm[..], &["--json"]].concat());
    real.done();
    let verdict = &real.document("swarm/1")["prediction"];
    let figures: Vec<&Value> =
        verdict["figures"].as_array().expect("figures").iter().map(|line| &line["figure"]).collect();
    assert_eq!(figures, ["mean", "half done", "95 % done", "99 % done", "last done", "origin sent"]);
    assert_eq!(verdict["differs"].as_array().map(Vec::len), Some(0), "{verdict}");
    let told = run(folder.path(), &swarm);
    told.done();
    assert!(told.stdout.contains("Against the prediction"), "{}", told.stdout);

    fs::write(folder.path().join("plan.json"), "{}").expect("a file");
    run(folder.path(), &swarm).refused(2, &["plan.json cannot be compared with"]);
}
