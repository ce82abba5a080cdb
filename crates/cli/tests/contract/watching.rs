//! `watch` and `report`: what the server on loopback gives, whom it refuses, and what is said of files that are no good.

use std::fs;
use std::net::SocketAddrV4;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;
use crate::program::{command, document, run};
use crate::running::{wait_for_end, wait_until};
use crate::scrape::http_get;

const SMALL: &str = r#"
schema = "scenario/1"
name = "small"
content = { size = "1 MiB" }
group = [
    { name = "origin", role = "seed", up = "10 Mbit/s" },
    { name = "leechers", role = "leecher", count = 3, up = "1 Mbit/s" },
]
"#;

/// A folder with the trace `run.swt` of a small swarm.
fn recorded() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    fs::write(folder.path().join("small.toml"), SMALL).expect("a scenario");
    run(folder.path(), &["sim", "small.toml", "--trace", "run.swt"]).done();
    folder
}

/// Starts a command with a page beside it and gives where that is, which is said on standard error.
fn beside(folder: &Path, arguments: &[&str]) -> (Process, SocketAddrV4) {
    let process = Process::start("beside", command(folder, arguments), folder).expect("it starts");
    let mut addr = None;
    wait_until("the address", &[&process], || {
        let words = process.last_words();
        let said = words.split_once("watch it at http://").and_then(|(_, rest)| rest.split_once("/\n"));
        addr = said.map(|(addr, _)| addr.parse().expect("an address"));
        addr.is_some()
    });
    (process, addr.expect("an address"))
}

/// Starts `watch` and gives where it listens.
fn watch(folder: &Path, arguments: &[&str]) -> (Process, SocketAddrV4) {
    let program = command(folder, &[&["watch", "--no-open"], arguments].concat());
    let mut watch = Process::start("watch", program, folder).expect("it starts");
    let mut ended = false;
    wait_until("the address", &[], || {
        ended = watch.ended().is_some();
        ended || watch.output().ends_with('\n')
    });
    let url = watch.output();
    let addr = url.trim_end().strip_prefix("http://").and_then(|url| url.strip_suffix('/'));
    let addr = addr.and_then(|addr| addr.parse().ok());
    (watch, addr.unwrap_or_else(|| panic!("{url}")))
}

/// The body of a reply with status 200.
fn get(addr: SocketAddrV4, target: &str) -> Vec<u8> {
    let reply = http_get(addr, target).expect("a reply");
    assert!(reply.starts_with(b"HTTP/1.1 200 "), "{target}: {}", String::from_utf8_lossy(&reply));
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    reply[end + 4..].to_vec()
}

fn json(addr: SocketAddrV4, target: &str) -> Value {
    serde_json::from_slice(&get(addr, target)).expect("JSON")
}

#[test]
fn a_recorded_run_is_served_as_it_is_until_a_signal() {
    let folder = recorded();
    let (mut server, addr) = watch(folder.path(), &["run.swt"]);
    assert!(addr.ip().is_loopback());
    assert_eq!(json(addr, "/session")["mode"], "file");
    assert!(get(addr, "/trace") == fs::read(folder.path().join("run.swt")).expect("the trace"));
    assert!(get(addr, "/").starts_with(b"<!doctype html>"));
    server.signal(Signal::INT);
    assert_eq!(wait_for_end(&mut server), Some(130), "{}", server.last_words());
}

#[test]
fn the_menu_opens_a_lesson_and_a_simulation() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (mut server, addr) = watch(folder.path(), &[]);
    assert_eq!(json(addr, "/session")["mode"], "menu");
    let menu = json(addr, "/lessons");
    let names: Vec<&str> =
        menu.as_array().expect("a list").iter().filter_map(|one| one["open"].as_str()).collect();
    assert!(names.contains(&"lesson:choke") && names.contains(&"scenario:quickstart"), "{names:?}");
    let lesson = json(addr, "/session?open=lesson:torrent");
    assert_eq!((&lesson["mode"], &lesson["lesson"]["name"]), (&"file".into(), &"torrent".into()));
    assert!(get(addr, "/trace?open=lesson:torrent").starts_with(b"swarmlab trace"));
    let live = json(addr, "/session?open=scenario:quickstart");
    assert_eq!((&live["mode"], &live["controls"]), (&"live".into(), &true.into()));
    server.signal(Signal::TERM);
    assert_eq!(wait_for_end(&mut server), Some(143), "{}", server.last_words());
}

#[test]
fn the_trace_of_every_client_can_be_read_again() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    fs::write(folder.path().join("small.toml"), SMALL).expect("a scenario");
    let schema: Value =
        serde_json::from_str(run(folder.path(), &["scenario", "schema"]).done()).expect("JSON");
    let presets = schema.pointer("/$defs/client/properties/preset/enum").and_then(Value::as_array);
    for preset in presets.expect("the schema lists the presets") {
        let preset = preset.as_str().expect("a name");
        let setting = format!("client.preset={preset}");
        run(folder.path(), &["sim", "small.toml", "--set", &setting, "--trace", preset]).done();
        let replayed = run(folder.path(), &["replay", preset, "--json-lines"]);
        assert!(replayed.done().lines().any(|line| line.contains("\"picked\"")), "{preset}");
    }
}

#[test]
fn a_trace_that_is_cut_short_is_shown_as_far_as_it_goes() {
    let folder = recorded();
    let whole = fs::read(folder.path().join("run.swt")).expect("the trace");
    fs::write(folder.path().join("cut.swt"), &whole[..whole.len() - 3]).expect("a file");
    let (mut server, addr) = watch(folder.path(), &["cut.swt"]);
    assert_eq!(get(addr, "/trace").len(), whole.len() - 3);
    wait_until("the warning", &[&server], || server.last_words().contains("cut short at byte"));
    server.signal(Signal::INT);
    assert_eq!(wait_for_end(&mut server), Some(130), "{}", server.last_words());
    let report = run(folder.path(), &["report", "cut.swt"]);
    assert_eq!(report.status, Some(4), "{report:?}");
    assert!(report.stderr.contains("cut short at byte"), "{report:?}");
    assert!(folder.path().join("cut.html").exists());
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let files: [(&str, &[u8], i32, &str); 4] = [
        ("foreign.swt", b"something else", 2, "this is no trace"),
        ("future.swt", b"swarmlab trace\x02\x00", 2, "version 2; this program reads version 1"),
        ("empty.swt", b"", 2, "this is no trace"),
        ("header.swt", b"swarmlab trace\x01\x00", 2, "cut short at byte 16"),
    ];
    for (name, bytes, status, says) in files {
        fs::write(folder.path().join(name), bytes).expect("a file");
        for program in ["watch", "report"] {
            run(folder.path(), &[program, name]).refused(status, &[name, says]);
        }
        assert!(!folder.path().join(name).with_extension("html").exists());
    }
    run(folder.path(), &["report", "missing.swt"]).refused(1, &["missing.swt"]);
    run(folder.path(), &["watch", "missing.toml"]).refused(1, &["missing.toml"]);
    run(folder.path(), &["watch", "quickstrat"]).refused(1, &["did you mean quickstart?"]);
    run(folder.path(), &["watch", "lesson:chook"]).refused(2, &["did you mean lesson:choke?"]);
    run(folder.path(), &["watch", "--listen", "0.0.0.0:0"]).refused(2, &["not an address of loopback"]);
    run(folder.path(), &["watch", "quickstart", "--set", "client.pikcer=random"]).refused(2, &["picker"]);
    run(folder.path(), &["watch", "lesson:choke", "--seed", "2"])
        .refused(2, &["--seed changes a simulation"]);
    run(folder.path(), &["watch", "quickstart", "--speed", "fast"]).refused(2, &["--speed"]);
}

#[test]
fn a_report_is_one_file_and_replaces_nothing() {
    let folder = recorded();
    assert_eq!(run(folder.path(), &["report", "run.swt"]).done(), "run.html\n");
    let page = fs::read_to_string(folder.path().join("run.html")).expect("the page");
    assert!(page.contains("<script id=\"trace\"") && page.contains("<script id=\"session\""));
    run(folder.path(), &["report", "run.swt"]).refused(1, &["run.html"]);
    run(folder.path(), &["report", "run.swt", "--force"]).done();
    run(folder.path(), &["report", "lesson:torrent", "-o", "lesson.html"]).done();
    assert!(fs::read_to_string(folder.path().join("lesson.html")).expect("the page").contains("info hash"));
}

#[test]
fn a_simulation_with_a_page_gives_its_result_and_stays() {
    let folder = recorded();
    let (mut sim, addr) = beside(folder.path(), &["sim", "small.toml", "--json", "--watch", "--no-open"]);
    wait_until("the end of the run", &[&sim], || sim.last_words().contains("the page stays"));
    assert_eq!(document(&sim.output(), "sim/1")["complete"], true);
    assert_eq!(json(addr, "/session")["mode"], "file");
    fs::write(folder.path().join("served.swt"), get(addr, "/trace")).expect("a file");
    let lines = |name: &str| run(folder.path(), &["replay", name, "--json-lines"]).done().to_owned();
    assert!(lines("served.swt") == lines("run.swt"), "who watches changes nothing");
    sim.signal(Signal::INT);
    assert_eq!(wait_for_end(&mut sim), Some(0), "it was done before: {}", sim.last_words());
}

#[test]
fn a_real_swarm_with_a_page_is_one_file_when_it_has_ended() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    fs::write(folder.path().join("content"), [7; 200_000]).expect("content");
    let arguments = ["swarm", "content", "--leechers", "2", "--json", "--watch", "--no-open"];
    let (mut swarm, addr) = beside(folder.path(), &arguments);
    wait_until("the end of the swarm", &[&swarm], || swarm.last_words().contains("the page stays"));
    assert_eq!(document(&swarm.output(), "swarm/1")["complete"], true);
    let session = json(addr, "/session");
    assert_eq!((&session["mode"], &session["controls"]), (&"file".into(), &false.into()));
    fs::write(folder.path().join("served.swt"), get(addr, "/trace")).expect("a file");
    run(folder.path(), &["replay", "served.swt"]).done();
    swarm.signal(Signal::INT);
    assert_eq!(wait_for_end(&mut swarm), Some(0), "{}", swarm.last_words());
}

#[test]
fn results_of_a_recorded_run_have_a_page_of_it() {
    let folder = recorded();
    run(folder.path(), &["sim", "small.toml", "-o", "results", "--trace", "run.swt"]).done();
    let read = |name: &str| fs::read_to_string(folder.path().join("results").join(name)).expect("a page");
    assert!(read("report.html").contains("href=\"watch.html\""));
    assert!(read("watch.html").contains("<script id=\"trace\""));
    run(folder.path(), &["sim", "small.toml", "-o", "results"]).done();
    assert!(!folder.path().join("results/watch.html").exists(), "it would be of another run");
}
