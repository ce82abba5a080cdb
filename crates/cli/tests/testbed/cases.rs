//! The tests themselves.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;
use swarmlab_testbed::Client;

use crate::place::Place;

/// A seed and three leeches: 1 MiB at 4 Mbit/s takes some seconds.
const SMALL: &str = r#"schema = "scenario/1"
name = "small"
content = { size = "1 MiB", piece_length = "64 KiB" }
network = { latency = "100 us" }
tracker = { latency = "100 us" }
run = { max_time = "100 s", sample = "500 ms" }
[[group]]
name = "seed"
role = "seed"
up = "4 Mbit/s"
down = "20 Mbit/s"
[[group]]
name = "leeches"
role = "leecher"
count = 3
up = "4 Mbit/s"
down = "20 Mbit/s"
arrive = { kind = "at", time = "500 ms" }
"#;
const LENGTH: u64 = 1 << 20;

/// What a test does in its place; the reason when it fails.
type Act = fn(&Place, Client) -> Result<(), String>;

/// One test.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The client it needs.
    pub(crate) client: Client,
    pub(crate) run: Act,
}

/// Every test.
pub(crate) fn cases() -> Vec<Case> {
    // The one that takes longest first.
    let order = [Client::Transmission, Client::Aria2, Client::Libtorrent, Client::Swarmlab];
    let swarms =
        order.map(|client| (format!("a_small_swarm::{}", client.name()), client, small_swarm as Act));
    let ours: [(&str, Act); 4] = [
        ("peers_come_and_go_as_the_scenario_says", comings_and_goings),
        ("an_interrupted_run_gives_partial_results_and_leaves_nothing", interrupted),
        ("a_second_signal_leaves_nothing", interrupted_twice),
        ("a_killed_run_leaves_files_that_the_next_one_removes", killed),
    ];
    let ours = ours.map(|(name, run)| (name.to_owned(), Client::Swarmlab, run));
    swarms.into_iter().chain(ours).map(|(name, client, run)| Case { name, client, run }).collect()
}

fn small_swarm(place: &Place, client: Client) -> Result<(), String> {
    let mut run = place.start("testbed", SMALL, &["--client", client.name(), "-o", "out", "--json"])?;
    let status = place.end(&mut run)?;
    let words = || run.last_words();
    check(status.success(), || format!("{status}\n{}", words()))?;
    let result: Value =
        serde_json::from_str(&run.output()).map_err(|error| format!("{error}\n{}", words()))?;
    let of = |pointer: &str| result.pointer(pointer).unwrap_or(&Value::Null);
    let number = |pointer: &str| of(pointer).as_f64().unwrap_or(-1.0);
    check(of("/schema") == "sim/1" && of("/complete") == true, words)?;
    check(of("/groups/1/completed") == 3 && of("/digest").is_null(), words)?;
    let named = of("/measured/client").as_str().is_some_and(|name| name.contains(client.name()));
    check(named && of("/measured/kernel").as_str().is_some_and(|kernel| kernel.starts_with("Linux")), words)?;
    // Physics holds in this network: nobody is earlier than the links allow, and what is received was sent.
    check(number("/makespan_seconds") >= number("/bound_seconds") && number("/bound_seconds") > 2.0, words)?;
    check(
        number("/groups/1/downloaded") >= 3.0 * LENGTH as f64 && number("/groups/0/downloaded") == 0.0,
        words,
    )?;
    let sent = number("/groups/0/uploaded") + number("/groups/1/uploaded");
    check(sent >= 3.0 * LENGTH as f64 && number("/groups/0/uploaded") >= LENGTH as f64, words)?;
    check(number("/link_utilisation/seeds") <= 1.02 && number("/link_overhead") > 0.0, words)?;
    check(number("/tracker/announces") >= 4.0, words)?;

    let read = |name: &str| fs::read_to_string(place.path().join("out").join(name)).unwrap_or_default();
    check(read("peers.csv").lines().count() == 5 && read("report.html").contains("Measured with"), || {
        read("peers.csv")
    })?;
    let timeline = read("timeline.csv");
    let last = timeline.lines().last().unwrap_or_default();
    check(timeline.lines().count() > 5 && last.split(',').nth(3) == Some("3"), || timeline.clone())?;
    check(place.json("out/manifest.json")?["measured"]["notes"].is_array(), words)?;
    place.nothing_is_left(true)
}

fn comings_and_goings(place: &Place, client: Client) -> Result<(), String> {
    let more = r#"leave = { kind = "after", time = "1 s" }
[[group]]
name = "late"
role = "leecher"
up = "4 Mbit/s"
arrive = { kind = "at", time = "2 s" }
leave = "on-complete"
[[fault]]
at = "2500 ms"
kind = "crash"
group = "late"
for = "1 s"
[[fault]]
at = "1 s"
kind = "tracker-down"
for = "500 ms"
"#;
    let mut run =
        place.start("testbed", &format!("{SMALL}{more}"), &["--client", client.name(), "-o", "out"])?;
    let status = place.end(&mut run)?;
    check(status.success(), || format!("{status}\n{}", run.last_words()))?;
    let text = fs::read_to_string(place.path().join("out/peers.csv")).map_err(|error| error.to_string())?;
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|row| row.split(',').collect()).collect();
    let time = |row: usize, column: usize| rows[row][column].parse::<f64>().unwrap_or(f64::NAN);
    let (join, complete, leave, present) = (2, 3, 5, 12);
    // From the simulator's schedule; a machine that is busy may be late.
    for (row, at) in [(0, 0.0), (1, 0.5), (4, 2.0)] {
        check(time(row, join) >= at && time(row, join) < at + 5.0, || text.clone())?;
    }
    check(time(0, leave).is_nan(), || format!("the seed left\n{text}"))?;
    for row in 1..4 {
        let stayed = time(row, leave) - time(row, complete);
        check(stayed.is_nan() || stayed >= 0.9, || format!("{stayed}\n{text}"))?;
    }
    // It died for a second, came again, and left when it was done.
    let here = time(4, leave) - time(4, join);
    check(time(4, present) <= here - 0.9 && time(4, complete) > 3.5, || text.clone())?;
    place.nothing_is_left(true)
}

/// A swarm that takes far longer than its test.
fn long() -> String {
    SMALL.replace("1 MiB", "64 MiB")
}

fn interrupted(place: &Place, client: Client) -> Result<(), String> {
    let mut run = place.start("testbed", &long(), &["--client", client.name(), "-o", "out"])?;
    place.wait_for_peers(&mut run)?;
    run.signal(Signal::INT);
    let status = place.end(&mut run)?;
    check(status.code() == Some(130), || format!("{status}\n{}", run.last_words()))?;
    let manifest = place.json("out/manifest.json")?;
    check(manifest["complete"] == false && manifest["end"] == "interrupted", || manifest.to_string())?;
    place.nothing_is_left(true)
}

fn interrupted_twice(place: &Place, client: Client) -> Result<(), String> {
    let mut run = place.start("testbed", &long(), &["--client", client.name()])?;
    place.wait_for_peers(&mut run)?;
    run.signal(Signal::TERM);
    run.signal(Signal::INT);
    place.end(&mut run)?;
    place.nothing_is_left(true)
}

fn killed(place: &Place, client: Client) -> Result<(), String> {
    let mut run = place.start("first", &long(), &["--client", client.name()])?;
    place.wait_for_peers(&mut run)?;
    let left = place.scratch().ok_or("no directory")?;
    run.signal(Signal::KILL);
    place.end(&mut run)?;
    // No program and no namespace outlives it; nobody is there to remove files.
    place.nothing_is_left(false)?;
    check(left.exists(), || "who has removed it?".to_owned())?;
    let mut run = place.start("second", SMALL, &["--client", client.name()])?;
    let status = place.end(&mut run)?;
    check(status.success() && !left.exists(), || format!("{status}\n{}", run.last_words()))?;
    place.nothing_is_left(true)
}

/// Tells where something does not hold, and `why`.
#[track_caller]
fn check(holds: bool, why: impl Fn() -> String) -> Result<(), String> {
    let place = std::panic::Location::caller();
    if holds { Ok(()) } else { Err(format!("{}:{}: {}", place.file(), place.line(), why())) }
}
