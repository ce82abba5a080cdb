//! A small outcome made by hand, and the exact texts that come of it. Larger ones are drawn, for what must hold of any.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;
use swarmlab_protocol::{Config, Layout, MessageKind, Random};
use swarmlab_sim::{
    Arrive, Behaviour, Check, Client, Content, End, Framing, Group, Latency, Leave, MessageCount, Model,
    Network, Outcome, PeerOutcome, Presence, Role, Run, Sample, Stop, TrackerLoad, TrackerModel,
};

use super::{Results, RunInfo, WriteError, check_directory};

/// A model with what came of it.
pub(crate) struct Case {
    pub(crate) model: Model,
    pub(crate) outcome: Outcome,
    pub(crate) info: RunInfo,
}

impl Case {
    pub(crate) fn results(&self) -> Results<'_> {
        Results::new(&self.model, &self.outcome, self.info.clone())
    }
}

fn group(name: &str, role: Role, count: u32, up: u64, down: u64) -> Group {
    Group {
        name: name.to_owned(),
        role,
        count,
        up,
        down,
        nat: 0.0,
        arrive: Arrive::At(Duration::ZERO),
        leave: Leave::Stay,
        abort: None,
        behaviour: Behaviour::Honest,
        client: Client::prompt(Arc::new(Config::default()), 65_536),
        region: 0,
    }
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One seed of 100 kB/s and two leechers of 50 kB/s up; 2 MB in 8 pieces; without framing. They come at 1 and 2 s and are done at 23 and 26 s.
/// The bound is 20.25 s: 4 MB at 150 kB/s for the first second, at 200 kB/s from then on.
pub(crate) fn small() -> Case {
    let model = Model {
        seed: 7,
        content: Content { layout: Layout::new(2_000_000, 262_144, 16_384).unwrap(), real: None },
        network: Network {
            latency: Latency::Constant(millis(20)),
            framing: Framing::None,
            queue: millis(100),
            sharing: swarmlab_sim::Sharing::Even,
            window: Layout::BLOCK_LEN,
        },
        tracker: TrackerModel {
            interval: millis(1_800_000),
            min_interval: None,
            numwant: 50,
            latency: millis(20),
        },
        groups: vec![
            group("origin", Role::Seed, 1, 100_000, 1_000_000),
            group("slow, \"home\"", Role::Leecher, 2, 50_000, 400_000),
        ],
        faults: vec![],
        run: Run {
            stop: Stop::LeechersDone,
            max_time: millis(3_600_000),
            sample: millis(10_000),
            threads: 2,
            check: true,
            timeline: true,
        },
    };
    let leecher =
        PeerOutcome { group: 1, lacked: 2_000_000, downloaded: 2_000_000, hash: 0xabc, ..Default::default() };
    let peers = vec![
        PeerOutcome {
            join: Some(Duration::ZERO),
            complete: Some(Duration::ZERO),
            uploaded: 2_400_000,
            up_wire: 2_410_000,
            present_us: 26_000_000,
            hash: 1,
            ..Default::default()
        },
        PeerOutcome {
            join: Some(millis(1_000)),
            complete: Some(millis(23_000)),
            uploaded: 1_000_000,
            up_wire: 1_005_000,
            down_wire: 2_008_000,
            present_us: 25_000_000,
            ..leecher
        },
        PeerOutcome {
            join: Some(millis(2_000)),
            complete: Some(Duration::from_micros(26_000_001)),
            leave: Some(millis(26_500)),
            uploaded: 600_000,
            wasted: 16_384,
            up_wire: 603_000,
            down_wire: 2_010_000,
            present_us: 24_000_000,
            bad_pieces: 1,
            nat: true,
            ..leecher
        },
    ];
    let sample = |at, leechers, completed, sent: [u64; 2], rarest| Sample {
        at: millis(at),
        groups: vec![
            Presence { seeds: 1, uploaded: sent[0], ..Default::default() },
            Presence {
                leechers,
                seeds: completed,
                completed,
                uploaded: sent[1],
                downloaded: sent[0] + sent[1],
            },
        ],
        uploaded: sent[0] + sent[1],
        downloaded: sent[0] + sent[1],
        rarest,
        up_capacity: 100_000 + 50_000 * u64::from(leechers + completed),
        announces: 3,
    };
    let mut messages = [MessageCount::default(); MessageKind::ALL.len()];
    messages[MessageKind::Have as usize] = MessageCount { count: 16, bytes: 144 };
    messages[MessageKind::Request as usize] = MessageCount { count: 245, bytes: 4_165 };
    messages[MessageKind::Piece as usize] = MessageCount { count: 245, bytes: 4_003_185 };
    let outcome = Outcome {
        digest: std::array::from_fn(|at| at as u8),
        end: End::LeechersDone,
        simulated: Duration::from_micros(26_000_001),
        events: 1_200,
        blocks: 245,
        peers,
        timeline: vec![
            sample(0, 0, 0, [0, 0], 1),
            sample(10_000, 2, 0, [900_000, 500_000], 1),
            sample(20_000, 2, 0, [1_900_000, 1_300_000], 2),
            sample(30_000, 0, 2, [2_400_000, 1_600_000], 3),
        ],
        messages,
        tracker: TrackerLoad { announces: 5, unanswered: 1, peers_given: 4 },
        flows: vec![vec![0, 2_400_000], vec![0, 1_600_000]],
        true_copies: None,
        checks: vec![
            Check { name: "conservation", failure: None, failures: 0 },
            Check { name: "progress", failure: Some("at 3 s node 2 waits".to_owned()), failures: 2 },
        ],
    };
    let info = RunInfo {
        scenario_name: "two".to_owned(),
        scenario_text: "schema = \"scenario/1\"\nname = \"two\"\n".to_owned(),
        resolved: serde_json::json!({ "seed": 7 }),
        warmup: Duration::ZERO,
        version: "0.1.0".to_owned(),
        commit: Some("87ddd6f".to_owned()),
        platform: "linux x86_64".to_owned(),
        wall: millis(250),
        threads: 2,
        peak_rss: Some(30_000_000),
        page: None,
        measured: None,
    };
    Case { model, outcome, info }
}

/// An outcome of many peers, with numbers that fit together as far as files and pictures look at them.
pub(crate) fn large(seed: u64, groups: usize, leechers: u32, samples: u64) -> Case {
    let mut random = Random::new(seed);
    let mut case = small();
    let names = ["fibre", "cable", "dsl", "mobile", "dormitory", "office", "satellite", "school", "library"];
    let leeching = (0..groups).map(|number| {
        let name =
            format!("{}{}", names[number % 9], if number < 9 { String::new() } else { number.to_string() });
        group(&name, Role::Leecher, leechers / groups as u32, 50_000 * (1 + number as u64), 400_000)
    });
    case.model.groups.truncate(1);
    case.model.groups.extend(leeching);
    case.outcome.peers.truncate(1);
    let total = case.model.groups.len();
    case.outcome.flows = vec![vec![0; total]; total];
    let mut last = Duration::ZERO;
    for (number, group) in case.model.groups.iter().enumerate().skip(1) {
        for _ in 0..group.count {
            let join = Duration::from_micros(random.below(10_000_000).into());
            let spread = (0..6).map(|_| u64::from(random.below(30_000_000))).sum::<u64>() / number as u64;
            let complete = join + millis(40_000) + Duration::from_micros(spread);
            last = last.max(complete);
            let given = (0..4).map(|_| u64::from(random.below(300_000))).sum::<u64>() * (1 + number as u64);
            case.outcome.flows[number][1 + random.below(groups as u32) as usize] += given;
            case.outcome.flows[0][number] += 50_000;
            case.outcome.peers.push(PeerOutcome {
                group: number as u32,
                join: Some(join),
                complete: Some(complete),
                lacked: 2_000_000,
                uploaded: given,
                downloaded: 2_000_000,
                up_wire: given + given / 100,
                present_us: u64::try_from((complete - join).as_micros()).unwrap(),
                ..Default::default()
            });
        }
    }
    case.outcome.simulated = last;
    let span = u64::try_from(last.as_micros()).unwrap();
    case.outcome.timeline = (0..=samples)
        .map(|number| {
            let at = Duration::from_micros(span * number / samples.max(1));
            let presence = |number: usize| {
                let peers = case.outcome.peers.iter().filter(|peer| peer.group as usize == number);
                let came = peers.clone().filter(|peer| peer.join <= Some(at)).count() as u32;
                let done = peers.clone().filter(|peer| peer.complete <= Some(at)).count() as u32;
                let part = |peer: &PeerOutcome| {
                    let (join, complete) = (peer.join.unwrap(), peer.complete.unwrap());
                    let passed = at.clamp(join, complete.max(join)).saturating_sub(join).as_micros();
                    (u128::from(peer.uploaded) * passed / (complete - join).as_micros().max(1)) as u64
                };
                let uploaded = peers.map(part).sum();
                Presence {
                    leechers: came - done,
                    seeds: done,
                    completed: done,
                    uploaded,
                    downloaded: uploaded,
                }
            };
            let groups: Vec<_> = (0..total).map(presence).collect();
            let sum = |of: fn(&Presence) -> u64| groups.iter().map(of).sum();
            let (uploaded, rarest) =
                (sum(|group| group.uploaded), 1 + number as u32 * leechers / samples as u32);
            Sample { at, uploaded, downloaded: uploaded, rarest, groups, up_capacity: 0, announces: number }
        })
        .collect();
    case.info.scenario_name = "drawn".to_owned();
    case
}

/// Compares with a file of `golden`. To take over a change that is meant: `SWARMLAB_BLESS=1 cargo test`, and read the diff.
#[track_caller]
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/results/golden").join(name);
    if std::env::var_os("SWARMLAB_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap(), "{name}");
}

#[test]
fn files_to_the_byte() {
    let small = small();
    let text = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        write(&mut bytes);
        String::from_utf8(bytes).unwrap()
    };
    let results = small.results();
    golden("results.json", &results.json());
    golden("manifest.json", &super::manifest::of(&results, &["manifest.json"], true));
    golden("peers.csv", &text(&|out| results.write_peers(out).unwrap()));
    golden("timeline.csv", &text(&|out| results.write_timeline(out).unwrap()));
    golden("summary.txt", &results.summary());
}

/// The fields that scripts are promised, and what they hold of the small run.
#[test]
fn promised_fields_are_there() {
    let document: Value = serde_json::from_str(&small().results().json()).unwrap();
    for (path, value) in [
        ("/schema", Value::from("sim/1")),
        ("/scenario", "two".into()),
        ("/seed", 7.into()),
        ("/threads", 2.into()),
        ("/digest", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f".into()),
        ("/simulated_seconds", 26.000001.into()),
        ("/wall_seconds", 0.25.into()),
        ("/events", 1200.into()),
        ("/blocks", 245.into()),
        ("/bytes_per_node", 10_000_000.into()),
        ("/peak_rss_bytes", 30_000_000.into()),
        ("/bound_seconds", 20.25.into()),
        ("/complete", true.into()),
        ("/groups/1/name", "slow, \"home\"".into()),
        ("/groups/1/count", 2.into()),
        ("/groups/1/completed", 2.into()),
        ("/groups/1/time/min", 22.0.into()),
        ("/groups/1/time/mean", 23.000001.into()),
        ("/groups/1/time/p50", 22.0.into()),
        ("/groups/1/time/p95", 24.000001.into()),
        ("/groups/1/time/p99", 24.000001.into()),
        ("/groups/1/time/max", 24.000001.into()),
        ("/groups/1/uploaded", 1_600_000.into()),
        ("/groups/1/downloaded", 4_000_000.into()),
        ("/groups/1/share_ratio", 0.4.into()),
        ("/groups/0/share_ratio", Value::Null),
        ("/groups/0/time", Value::Null),
        ("/groups/0/completed", 0.into()),
        ("/tracker/announces", 5.into()),
        ("/checks/0/name", "conservation".into()),
        ("/checks/0/ok", true.into()),
        ("/checks/1/ok", false.into()),
        ("/efficiency", 0.809999.into()), // 20.25 s of 25.000001 s
        ("/seed_copies", 1.2.into()),
        ("/protocol_overhead", 0.001873.into()), // 13 and 17 bytes for each of 245 blocks, 9 for each of 16 haves
        ("/utilisation/seeds", 0.923076.into()),
        ("/utilisation/leechers", 0.653061.into()),
    ] {
        assert_eq!(document.pointer(path), Some(&value), "{path}");
    }
}

#[test]
fn a_measured_run_says_how_and_nothing_of_what_nobody_knows() {
    let mut case = small();
    case.info.measured = Some(super::Measured {
        client: "client 1.0".to_owned(),
        tracker: "tracker 2.0".to_owned(),
        kernel: "Linux 6.1".to_owned(),
        cpu_busy: crate::numbers::Decimal::ratio(3, 8),
        notes: vec!["links have no <latency>".to_owned()],
    });
    let results = case.results();
    let document = results.value();
    assert_eq!((&document["digest"], &document["measured"]["client"]), (&Value::Null, &"client 1.0".into()));
    assert_eq!(document["measured"]["cpu_busy"], 0.375);
    let manifest: Value = serde_json::from_str(&super::manifest::of(&results, &[], true)).unwrap();
    assert_eq!(manifest["measured"]["notes"][0], "links have no <latency>");
    let (summary, report) = (results.summary(), results.report());
    assert!(summary.starts_with("two  (seed 7, client 1.0)\n"), "{summary}");
    assert!(summary.contains("  measured with  client 1.0, tracker 2.0, Linux 6.1\n"), "{summary}");
    assert!(summary.contains("  processors     37.5 % busy meanwhile\n"), "{summary}");
    assert!(summary.ends_with("note: links have no <latency>\n"), "{summary}");
    assert!(report.contains("Measured with client 1.0") && report.contains("Links have no &lt;latency&gt;."));
    assert!(!report.contains("rarest piece") && !report.contains("Who gave to whom"));
    let mut timeline = Vec::new();
    results.write_timeline(&mut timeline).unwrap();
    let row = String::from_utf8(timeline).unwrap().lines().nth(2).unwrap().to_owned();
    assert!(row.starts_with("10.000000,2,1,0,1400000,1400000,,200000,"), "{row}");
}

#[test]
fn partial_results_are_marked() {
    for (end, stop, complete) in [
        (End::LeechersDone, Stop::LeechersDone, true),
        (End::MaxTime, Stop::LeechersDone, false),
        (End::MaxTime, Stop::Never, true),
        (End::PieceLost(3), Stop::Never, false),
        (End::Interrupted, Stop::LeechersDone, false),
    ] {
        let mut case = small();
        (case.outcome.end, case.model.run.stop) = (end, stop);
        assert_eq!(case.results().document().complete, complete);
        let manifest: Value = serde_json::from_str(&super::manifest::of(&case.results(), &[], true)).unwrap();
        assert_eq!(manifest["complete"], complete);
    }
}

#[test]
fn no_bound_where_the_last_completion_means_nothing() {
    let bound = |change: &dyn Fn(&mut Model)| {
        let mut case = small();
        change(&mut case.model);
        case.results().document().bound_seconds.is_some()
    };
    let fault = |kind, length| swarmlab_sim::Fault { at: millis(5), length, kind };
    let target = swarmlab_sim::Target { group: 1, count: 1 };
    assert!(bound(&|_| {}));
    assert!(!bound(&|model| model.run.stop = Stop::Never));
    assert!(!bound(&|model| model.groups[1].abort = Some(0.001)));
    // Where nobody is honest a run waits for those who are there.
    assert!(bound(&|model| model.groups[1].behaviour = Behaviour::FreeRider));
    assert!(!bound(&|model| model.faults.push(fault(swarmlab_sim::FaultKind::Crash(target), None))));
    assert!(bound(&|model| model
        .faults
        .push(fault(swarmlab_sim::FaultKind::Crash(target), Some(millis(9))))));
    let seed = swarmlab_sim::Target { group: 0, count: 1 };
    assert!(bound(&|model| model.faults.push(fault(swarmlab_sim::FaultKind::Crash(seed), None))));
}

#[test]
fn uplinks_are_not_idle_after_the_last_completion() {
    let mut case = small();
    let before = case.results().document().utilisation;
    // The run goes on to its next sample at 30 s.
    case.outcome.peers[0].present_us = 30_000_000;
    case.outcome.peers[1].present_us = 29_000_000;
    let after = case.results().document().utilisation;
    assert_eq!((before.all, before.seeds), (after.all, after.seeds));
}

#[test]
fn times_leave_the_warm_up_out() {
    let mut case = small();
    case.info.warmup = millis(1_500);
    let document = case.results().document().clone();
    assert_eq!(document.groups[1].time.unwrap().min.to_string(), "24.000001");
    assert_eq!(document.groups[1].completed, 2);
}

#[test]
fn who_has_not_come_or_not_finished_leaves_no_makespan() {
    let mut case = small();
    case.outcome.peers[2].complete = None;
    assert!(case.results().document().makespan_seconds.is_none());
    assert_eq!(case.results().document().groups[1].gave_up, 1);
    case.outcome.peers[2] = PeerOutcome { group: 1, ..Default::default() };
    let results = case.results();
    assert!(results.document().makespan_seconds.is_none() && results.document().efficiency.is_none());
    assert!(results.document().bound_seconds.is_some());
}

#[test]
fn results_are_written_once_and_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b");
    let mut case = small();
    case.results().write(&path).unwrap();
    let names = |path| {
        let mut names: Vec<String> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    };
    let all = ["manifest.json", "peers.csv", "report.html", "results.json", "timeline.csv"];
    assert_eq!(names(&path), all);
    assert_eq!(fs::read_to_string(path.join("results.json")).unwrap(), case.results().json());
    let manifest = |path: &Path| -> Value {
        serde_json::from_slice(&fs::read(path.join("manifest.json")).unwrap()).unwrap()
    };
    assert_eq!(manifest(&path)["scenario_text"], "schema = \"scenario/1\"\nname = \"two\"\n");
    assert_eq!(manifest(&path)["resolved"]["seed"], 7);
    assert_eq!(manifest(&path)["complete"], true);

    fs::write(path.join("notes.txt"), "mine").unwrap();
    case.outcome.end = End::Interrupted;
    case.results().write(&path).unwrap();
    assert_eq!(manifest(&path)["complete"], false);
    assert_eq!(fs::read_to_string(path.join("notes.txt")).unwrap(), "mine");
}

#[test]
fn the_page_of_a_run_comes_and_goes_with_its_report() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("watch.html");
    let leads_there =
        || fs::read_to_string(dir.path().join("report.html")).unwrap().contains("href=\"watch.html\"");
    let mut case = small();
    case.info.page = Some("the page".into());
    case.results().write(dir.path()).unwrap();
    assert_eq!(fs::read_to_string(&page).unwrap(), "the page");
    assert!(leads_there());
    case.info.page = None;
    case.results().write(dir.path()).unwrap();
    assert!(!page.exists() && !leads_there());
    fs::write(&page, "mine").unwrap();
    case.info.page = Some("the page".into());
    assert!(matches!(case.results().write(dir.path()), Err(WriteError::InTheWay(path)) if path == page));
    assert_eq!(fs::read_to_string(&page).unwrap(), "mine");
}

#[test]
fn what_is_not_ours_is_not_overwritten() {
    let case = small();
    let refused = |entries: &[(&str, &str)]| {
        let dir = tempfile::tempdir().unwrap();
        entries.iter().for_each(|(name, text)| fs::write(dir.path().join(name), text).unwrap());
        let error = case.results().write(dir.path()).unwrap_err();
        for (name, text) in entries {
            assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), *text);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), entries.len());
        error
    };
    assert!(
        matches!(refused(&[("photo.jpg", "")]), WriteError::Foreign { entry, .. } if entry == "photo.jpg")
    );
    assert!(matches!(refused(&[("manifest.json", "{}")]), WriteError::Foreign { .. }));
    let other = r#"{"schema": "manifest/1", "program": "other", "files": []}"#;
    assert!(matches!(refused(&[("manifest.json", other), ("peers.csv", "x")]), WriteError::Foreign { .. }));
    let ours = r#"{"schema": "manifest/1", "program": "swarmlab", "files": ["manifest.json"]}"#;
    let error = refused(&[("manifest.json", ours), ("peers.csv", "x")]);
    assert!(matches!(&error, WriteError::InTheWay(path) if path.ends_with("peers.csv")));
    assert!(error.to_string().ends_with("move it away or name another directory"));

    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(check_directory(file.path()), Err(WriteError::NotADirectory(_))));
    assert!(check_directory(&file.path().join("below")).is_err());
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_a_file_is_replaced_not_followed() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let case = small();
    case.results().write(dir.path()).unwrap();
    fs::remove_file(dir.path().join("peers.csv")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("peers.csv")).unwrap();
    case.results().write(dir.path()).unwrap();
    assert_eq!(fs::read(elsewhere.path()).unwrap(), b"");
    assert!(fs::symlink_metadata(dir.path().join("peers.csv")).unwrap().is_file());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn summaries_fit_a_terminal(seed in any::<u64>(), groups in 1..30_usize, scale in 1..1_000_000_000_u64) {
        let mut case = large(seed, groups, 60, 3);
        case.model.groups[0].name = "a name that nobody would call a group by \u{1b}[31m".to_owned();
        case.outcome.peers.iter_mut().for_each(|peer| {
            peer.uploaded *= scale;
            peer.downloaded *= scale;
            peer.up_wire *= scale;
        });
        case.model.groups.iter_mut().for_each(|group| group.up *= scale);
        case.model.network.framing = if seed % 2 == 0 { Framing::Ethernet } else { Framing::None };
        case.outcome.messages.iter_mut().for_each(|sent| {
            sent.count = scale * 7_000_000;
            sent.bytes = sent.count * 20;
        });
        let summary = case.results().summary();
        for line in summary.lines() {
            prop_assert!(line.chars().count() <= 100 && !line.contains('\u{1b}') && line == line.trim_end(), "{line}");
        }
        prop_assert!(summary.lines().count() < 70, "{summary}");
    }
}
