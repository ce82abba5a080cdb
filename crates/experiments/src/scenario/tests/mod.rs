//! Scenarios as a whole: what is taken (here), what is refused and how that reads, and that writing, reading and the
//! schema agree.

mod flags;
mod refused;
mod whole;

use std::time::Duration;

use swarmlab_sim::{Arrive, Behaviour, FaultKind, Framing, Latency, Leave, Role, Target};

use super::*;

/// The least that is a scenario, with places for more.
const BASE: &str = "schema = \"scenario/1\"
name = \"base\"
content = { size = \"1 MiB\" }
[[group]]
name = \"origin\"
role = \"seed\"
up = \"10 Mbit/s\"
[[group]]
name = \"leechers\"
role = \"leecher\"
count = 10
up = \"1 Mbit/s\"
";

fn parse(text: &str) -> Result<Scenario, Diagnostics> {
    Scenario::parse(text, &Origin::named("s.toml"), &[])
}

fn parse_with(text: &str, sets: &[&str]) -> Result<Scenario, Diagnostics> {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    Scenario::parse(text, &Origin::named("s.toml"), &sets)
}

#[track_caller]
fn sound(text: &str) -> Scenario {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What is said about a text, without the excerpts: `line:column: message | help`.
fn said(result: Result<Scenario, Diagnostics>) -> Vec<String> {
    let Err(diagnostics) = result else { return Vec::new() };
    let said = diagnostics.list().iter().map(|one| {
        let (line, column) = diagnostics.position(one.place);
        let help = one.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
        format!("{line}:{column}: {}{help}", one.message)
    });
    said.collect()
}

/// [`BASE`] with more at its top, in the group of leechers, and at its end.
fn base_with(top: &str, leechers: &str, end: &str) -> String {
    format!("{top}\n{BASE}{leechers}\n{end}\n")
}

#[test]
fn the_least_scenario_has_the_documented_defaults() {
    let scenario = sound(BASE);
    assert_eq!((scenario.name.as_str(), scenario.seed, scenario.node_count()), ("base", 1, 11));
    assert_eq!(scenario.content.layout.piece_length(), 16 << 10);
    assert_eq!((scenario.stop, scenario.max_time), (Stop::LeechersDone, Duration::from_secs(86_400)));
    assert_eq!((scenario.warmup, scenario.sample), (Duration::ZERO, Duration::from_secs(1)));
    assert_eq!(scenario.network.latency, Latency::Constant(Duration::from_millis(20)));
    assert_eq!(
        (scenario.network.framing, scenario.network.queue),
        (Framing::Ethernet, Duration::from_millis(100))
    );
    assert_eq!(scenario.tracker.interval, Duration::from_secs(1800));
    let [origin, leechers] = &scenario.groups[..] else { panic!("two groups") };
    assert_eq!((origin.role, origin.count, origin.up, origin.down), (Role::Seed, 1, 1_250_000, 1_250_000));
    assert_eq!((&leechers.arrive, leechers.leave), (&Arrive::Together(Duration::ZERO), Leave::Stay));
    assert_eq!((leechers.nat, leechers.abort, leechers.behaviour), (0.0, None, Behaviour::Honest));
    assert_eq!(*leechers.client.config, swarmlab_protocol::Config::default());
}

#[test]
fn every_kind_of_arrival_and_departure_is_taken() {
    let seconds = Duration::from_secs;
    for (written, arrive) in [
        ("{ kind = \"together\", within = \"10 s\" }", Arrive::Together(seconds(10))),
        ("\"together\"", Arrive::Together(Duration::ZERO)),
        ("{ kind = \"at\", time = \"1 min\" }", Arrive::At(seconds(60))),
        ("{ kind = \"every\", gap = \"20 ms\" }", Arrive::Every(Duration::from_millis(20))),
        ("{ kind = \"poisson\", rate = \"2 /s\" }", Arrive::Poisson(2.0)),
        (
            "{ kind = \"decaying\", rate = \"60 /min\", tau = \"1 h\" }",
            Arrive::Decaying { rate: 1.0, tau: seconds(3600) },
        ),
    ] {
        let scenario = sound(&base_with("", &format!("arrive = {written}"), ""));
        assert_eq!(scenario.groups[1].arrive, arrive, "{written}");
    }
    for (written, leave) in [
        ("\"on-complete\"", Leave::OnComplete),
        ("{ kind = \"stay\" }", Leave::Stay),
        ("{ kind = \"after\", time = \"5 s\" }", Leave::After { time: seconds(5), exponential: false }),
        (
            "{ kind = \"after\", time = \"5 s\", exponential = true }",
            Leave::After { time: seconds(5), exponential: true },
        ),
        ("{ kind = \"at-ratio\", ratio = 1.5 }", Leave::AtRatio(1.5)),
    ] {
        let scenario = sound(&base_with("", &format!("leave = {written}"), ""));
        assert_eq!(scenario.groups[1].leave, leave, "{written}");
    }
    let scenario = sound(&base_with("", "nat = 0.25\nabort = \"0.001 /s\"\nbehaviour = \"liar\"", ""));
    let group = &scenario.groups[1];
    assert_eq!((group.nat, group.abort, group.behaviour), (0.25, Some(0.001), Behaviour::Liar));
    let partial = BASE.replace("\"leecher\"", "{ kind = \"partial\", fraction = 0.5 }");
    assert_eq!(sound(&partial).groups[1].role, Role::Partial(0.5));
}

#[test]
fn faults_meet_the_nodes_they_name() {
    let faults = sound(&base_with(
        "",
        "",
        "[[fault]]\nat = \"1 min\"\nkind = \"tracker-down\"\nfor = \"5 min\"
        [[fault]]\nat = \"2 min\"\nkind = \"crash\"\ngroup = \"leechers\"\nshare = 0.25
        [[fault]]\nat = \"2 min\"\nkind = \"disk-slow\"\ngroup = \"leechers\"\ncount = 4\nrate = \"1 MB/s\"
        [[fault]]\nat = \"0 s\"\nkind = \"reset\"\ngroup = \"origin\"
        [[fault]]\nat = \"3 min\"\nkind = \"partition\"\nbetween = [\"origin\", \"leechers\"]",
    ))
    .faults;
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let leechers = |count| Target { group: 1, count };
    assert_eq!(
        faults,
        [
            Fault { at: minutes(1), length: Some(minutes(5)), kind: FaultKind::TrackerDown },
            Fault { at: minutes(2), length: None, kind: FaultKind::Crash(leechers(3)) },
            Fault { at: minutes(2), length: None, kind: FaultKind::DiskSlow(leechers(4), 1_000_000) },
            Fault { at: minutes(0), length: None, kind: FaultKind::Reset(Target { group: 0, count: 1 }) },
            Fault { at: minutes(3), length: None, kind: FaultKind::Partition(0, 1) },
        ]
    );
}

#[test]
fn slots_are_a_fixed_number_unless_the_most_is_given_too() {
    let slots = |keys: &str| {
        let scenario = sound(&base_with("", keys, ""));
        let config = &scenario.groups[1].client.config;
        (config.unchoke_slots, config.unchoke_most)
    };
    let default = swarmlab_protocol::Config::default();
    assert_eq!(slots(""), (default.unchoke_slots, default.unchoke_most));
    assert_eq!(slots("[group.client]\nunchoke_slots = 4"), (4, 0));
    assert_eq!(slots("[group.client]\nunchoke_most = 9\nunchoke_slots = 3"), (3, 9));
    assert_eq!(slots("[group.client]\nunchoke_most = 9"), (4, 9));
}

#[test]
fn a_group_takes_keys_of_its_own_over_those_of_all() {
    let scenario = sound(&base_with(
        "",
        "[group.client]\nunchoke_slots = 7\nrechoke = \"5 s\"\npipeline = { max = 40 }\nsend_buffer = \"1 MiB\"",
        "[client]\nunchoke_slots = 3\npicker = \"random\"\noptimistic_interval = \"20 s\"",
    ));
    let [origin, leechers] = &scenario.groups[..] else { panic!("two groups") };
    let (origin, own) = (&origin.client, &leechers.client);
    assert_eq!((origin.config.unchoke_slots, own.config.unchoke_slots), (3, 7));
    assert_eq!((origin.config.unchoke_most, own.config.unchoke_most), (0, 0), "exactly what is written");
    assert_eq!((origin.config.optimistic_rounds, own.config.optimistic_rounds), (2, 4));
    assert_eq!(own.config.picker, swarmlab_protocol::Picker::Random);
    assert_eq!((own.config.pipeline.min, own.config.pipeline.max), (5, 40));
    assert_eq!((origin.send_buffer, own.send_buffer), (64 << 10, 1 << 20));
}

#[test]
fn what_a_client_does_otherwise_than_its_preset_is_told() {
    let own = "[group.client]\npreset = \"aria2\"\nunchoke_slots = 7";
    let scenario = sound(&base_with("", own, "[client]\npreset = \"libtorrent-2\"\npicker = \"random\""));
    let (preset, changed) = scenario.client_of(0);
    assert_eq!((preset.as_str(), changed), ("libtorrent-2", vec![("picker".to_owned(), "random".into())]));
    let (preset, changed) = scenario.client_of(1);
    assert_eq!(preset, "aria2");
    assert!(changed.contains(&("unchoke_slots".to_owned(), 7.into())), "{changed:?}");
    assert_eq!(sound(BASE).client_of(1), ("swarmlab".to_owned(), vec![]));
}

#[test]
fn what_never_happens_and_what_others_imply() {
    let client = "[client]\nsnub_after = \"never\"\nmax_connections = 10\nunchoke_slots = 65535";
    let scenario = sound(&base_with("", "", client));
    let config = &scenario.groups[0].client.config;
    assert_eq!((config.snub_after, config.initiate_up_to), (Duration::MAX, 10));
    assert!(scenario.resolved_toml().contains("\nsnub_after = \"never\"\n"));
    assert_eq!(sound(&scenario.resolved_toml()).groups[0].client.config, *config);
}

#[test]
fn latency_by_regions() {
    let table = "[network]\nlatency = { regions = [\"eu\", \"us\"], table = [[\"5 ms\", \"40 ms\"], [\"45 ms\", \"9 ms\"]] }";
    let scenario = sound(&base_with("", "region = \"us\"", table));
    let millis = Duration::from_millis;
    let rows = vec![vec![millis(5), millis(40)], vec![millis(45), millis(9)]];
    assert_eq!(scenario.network.latency, Latency::Regions(rows));
    assert_eq!([scenario.groups[0].region, scenario.groups[1].region], [0, 1]);
    let uniform = sound(&base_with("", "", "[network]\nlatency = { uniform = [\"5 ms\", \"80 ms\"] }"));
    assert_eq!(uniform.network.latency, Latency::Uniform(millis(5), millis(80)));
}
