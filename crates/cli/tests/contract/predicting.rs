//! `predict`: what its result says, and how a real swarm stands beside it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{document, has_fields, run, shared_content};
use crate::running::{Swarm, wait_for_end};

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
}

/// Predicts for content of this size, and writes the answer to `plan.json`.
fn plan(folder: &Path, size: &str, nodes: &str) -> Value {
    let link = ["--up", "2 MB/s", "--latency", "1 ms", "--runs", "2", "--json"];
    let asked = run(folder, &[&["predict", "--size", size, "--nodes", nodes][..], &link].concat());
    fs::write(folder.join("plan.json"), asked.done()).expect("a file");
    asked.document("predict/1")
}

#[test]
fn a_download_stands_beside_the_median_of_its_prediction() {
    let swarm = Swarm::start();
    let _seed = swarm.seed();
    let predicted = plan(swarm.folder(), "70 kB", "1");
    let arguments = ["download", "content.torrent", "-o", "copy", "--compare", "plan.json"];
    let mut download = swarm.spawn("download", &[&arguments[..], &["--json"]].concat());
    assert_eq!(wait_for_end(&mut download), Some(0), "{}", download.last_words());
    let verdict = &document(&download.output(), "download/1")["prediction"];
    let [line] = &verdict["figures"].as_array().expect("figures")[..] else { panic!("one line: {verdict}") };
    has_fields(line, &["figure", "predicted", "real", "error", "within"]);
    assert_eq!(line["figure"], "this node");
    assert_eq!(line["predicted"], predicted["time"]["p50"]["seconds"]);
    assert!(line["real"].as_f64().is_some_and(|seconds| seconds > 0.0), "{line}");
    assert_eq!(line["within"], Value::Null, "one node may be anywhere in the distribution");
    assert_eq!(verdict["differs"].as_array().map(Vec::len), Some(0), "{verdict}");
}

#[test]
fn a_prediction_for_other_content_is_told_apart() {
    let swarm = Swarm::start();
    let _seed = swarm.seed();
    plan(swarm.folder(), "1 MB", "1");
    let arguments = ["download", "content.torrent", "-o", "copy", "--compare", "plan.json"];
    let mut download = swarm.spawn("download", &arguments);
    assert_eq!(wait_for_end(&mut download), Some(0), "{}", download.last_words());
    let told = download.output();
    for words in [
        "Against the prediction\n",
        "this node",
        "but the prediction is for 977 KiB, the content has 68.4 KiB",
    ] {
        assert!(told.contains(words), "{words:?} is not in\n{told}");
    }

    plan(swarm.folder(), "70 kB", "4");
    let arguments = ["swarm", "content", "--leechers", "2", "--compare", "plan.json", "--json"];
    let real = run(swarm.folder(), &arguments);
    real.done();
    let differs = &real.document("swarm/1")["prediction"]["differs"];
    assert_eq!(differs[0], "the prediction is for 4 nodes, there were 2 nodes");
}

#[test]
fn what_is_no_prediction_is_refused_before_anything_is_done() {
    let folder = shared_content("http://127.0.0.1:9/announce");
    let good = plan(folder.path(), "70 kB", "1").to_string();
    let wrong = [
        ("{}".to_owned(), "it is no prediction"),
        ("no JSON".to_owned(), "it is no prediction"),
        (good.replace("predict/1", "predict/2"), "its schema is 'predict/2', not predict/1"),
        (good.replace("\"p95\"", "\"p96\""), "missing field `p95`"),
    ];
    let commands = [
        &["download", "content.torrent", "-o", "copy", "--compare", "plan.json"][..],
        &["swarm", "content", "--leechers", "2", "--compare", "plan.json"],
    ];
    for command in commands {
        for (text, why) in &wrong {
            fs::write(folder.path().join("plan.json"), text).expect("a file");
            let next = "swarmlab predict --json";
            run(folder.path(), command).refused(2, &["plan.json cannot be compared with", why, next]);
        }
        fs::remove_file(folder.path().join("plan.json")).expect("it is there");
        run(folder.path(), command).refused(1, &["cannot read the prediction plan.json"]);
        assert!(!folder.path().join("copy").exists());
    }
}
