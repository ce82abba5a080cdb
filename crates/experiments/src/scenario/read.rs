//! From checked keys to the types of the simulator, and the checks that concern several keys at once.

use std::path::Path;
use std::sync::Arc;

use swarmlab_metainfo::{Layout, recommended_piece_length};
use swarmlab_sim::{
    Arrive, Behaviour, Client as SimClient, Fault, FaultKind, Framing, Group, Latency, Leave, Network, Role,
    Sharing, Stop, Target, TrackerModel,
};

use super::client::Client;
use super::content::{Content, ContentKind, length_of, torrent_of};
use super::diagnostic::{Findings, nearest, quote};
use super::keys::MOST_NODES;
use super::record::{Plain, Record};
use super::{Scenario, expect, trace};
use crate::units::exact_time;

/// Most pieces: each node keeps a bit for each, and for each of its connections.
const MOST_PIECES: u32 = 4_000_000;
/// Most samples of a run.
const MOST_SAMPLES: u128 = 10_000_000;

/// The scenario of a record, whose defaults that depend on other keys are filled in on the way.
pub(super) fn scenario(mut record: Record, dir: &Path, findings: &mut Findings) -> Option<Scenario> {
    let mut content = record.table("content").clone();
    let resolved_content = content_of(&mut content, dir, findings);
    record.set("content", Plain::Table(content));

    let (latency, regions) = record.table("network").latency("latency");
    let (latency, regions) = (latency.clone(), regions.to_vec());
    let framing = match record.table("network").word("framing") {
        "none" => Framing::None,
        _ => Framing::Ethernet,
    };
    let sharing = match record.table("network").word("sharing") {
        "even" => Sharing::Even,
        _ => Sharing::DropTail,
    };
    let network = Network {
        latency,
        framing,
        queue: record.table("network").time("queue"),
        sharing,
        window: swarmlab_metainfo::Layout::BLOCK_LEN,
    };

    let base = record.table("client").clone();
    let default = Client::of(&[&base], findings);
    let mut tables = record.tables("group").to_vec();
    let mut groups = Vec::new();
    for table in &mut tables {
        let client = match table.find_table("client") {
            Some(own) => {
                let client = Client::of(&[&base, own], findings);
                let resolved = client.record();
                table.set("client", Plain::Table(resolved));
                client
            }
            None => default.clone(),
        };
        groups.extend(group(table, &client, &network.latency, &regions, dir, findings));
    }
    check_groups(&tables, &groups, findings);
    record.set("group", Plain::Tables(tables));
    record.set("client", Plain::Table(default.record()));

    let faults: Vec<Fault> = record
        .find_tables("fault")
        .unwrap_or_default()
        .iter()
        .filter_map(|table| fault(table, &groups, findings))
        .collect();
    let expect = record.find_expectations("expect").unwrap_or_default().to_vec();
    for expectation in &expect {
        if let Some(name) = &expectation.group {
            group_number(name, &groups, expectation.place, findings);
        }
    }
    let run = record.table("run");
    check_run(run, findings);
    let tracker = record.table("tracker");
    let tracker = TrackerModel {
        interval: tracker.time("interval"),
        min_interval: tracker.find_time("min_interval"),
        numwant: small(tracker.count("numwant")),
        latency: tracker.time("latency"),
    };
    Some(Scenario {
        name: record.text("name").to_owned(),
        about: record.find_text("about").map(str::to_owned),
        seed: record.count("seed"),
        content: resolved_content?,
        network,
        tracker,
        groups,
        faults,
        stop: if run.word("stop") == "never" { Stop::Never } else { Stop::LeechersDone },
        max_time: run.time("max_time"),
        warmup: run.time("warmup"),
        sample: run.time("sample"),
        expect,
        resolved: record,
    })
}

fn content_of(table: &mut Record, dir: &Path, findings: &mut Findings) -> Option<Content> {
    let given: Vec<&str> =
        ["size", "file", "torrent"].into_iter().filter(|key| table.get(key).is_some()).collect();
    let [given] = given[..] else {
        let message = match given.len() {
            0 => "[content] needs one of 'size', 'file' and 'torrent'".to_owned(),
            _ => format!("[content] has {}; it takes one of them", given.join(" and ")),
        };
        let place = given.last().map_or(table.place, |key| table.place_of(key));
        findings.add(place, message, "as in size = \"100 MiB\"".to_owned());
        return None;
    };
    let place = table.place_of(given);
    let (length, kind) = match given {
        "size" => (table.size("size"), ContentKind::Generated),
        "file" => {
            let path = dir.join(table.text("file"));
            let length =
                length_of(&path, table.text("file")).map_err(|message| findings.say(place, message)).ok()?;
            (length, ContentKind::File(path))
        }
        _ => {
            let path = dir.join(table.text("torrent"));
            let torrent = torrent_of(&path, table.text("torrent"));
            let torrent = torrent.map_err(|message| findings.say(place, message)).ok()?;
            if table.get("piece_length").is_some() {
                findings.say(
                    table.place_of("piece_length"),
                    "a torrent has its own piece_length: leave the key out",
                );
                return None;
            }
            let beside = path.parent().unwrap_or(Path::new("")).to_owned();
            let layout =
                layout(torrent.length(), u64::from(torrent.layout().piece_length()), table, findings)?;
            return Some(Content { layout, kind: ContentKind::Torrent(beside, Arc::new(torrent)) });
        }
    };
    let piece_length = match table.get("piece_length") {
        Some(Plain::Size(length)) => *length,
        _ => u64::from(recommended_piece_length(length)),
    };
    table.set("piece_length", Plain::Size(piece_length));
    layout(length, piece_length, table, findings).map(|layout| Content { layout, kind })
}

fn layout(length: u64, piece_length: u64, table: &Record, findings: &mut Findings) -> Option<Layout> {
    match Layout::new(length, piece_length, Layout::BLOCK_LEN) {
        Ok(layout) if layout.piece_count() <= MOST_PIECES => Some(layout),
        Ok(layout) => {
            let message =
                format!("{} pieces are too many: at most {MOST_PIECES} are simulated", layout.piece_count());
            findings.add(table.place_of("piece_length"), message, "take a larger piece_length".to_owned());
            None
        }
        Err(error) => {
            findings.say(table.place, error.to_string());
            None
        }
    }
}

fn group(
    table: &mut Record,
    client: &Client,
    latency: &Latency,
    regions: &[String],
    dir: &Path,
    findings: &mut Findings,
) -> Option<Group> {
    let arrive = arrive(table, dir, findings)?;
    let times = if let Arrive::Trace(times) = &arrive { Some(times.len() as u64) } else { None };
    let count = table.find_count("count").or(times).unwrap_or(1);
    if let Some(times) = times.filter(|times| *times < count) {
        let message = format!("count = {count}, but the trace has {times} times");
        findings.add(
            table.place_of("count"),
            message,
            "leave 'count' out for as many nodes as times".to_owned(),
        );
    }
    table.set("count", Plain::Count(count));
    let up = table.rate("up");
    let down = table.find_rate("down").unwrap_or(up);
    table.set("down", Plain::Rate(down));
    Some(Group {
        name: table.text("name").to_owned(),
        role: role(table),
        count: small(count),
        up,
        down,
        nat: share(table.number("nat")),
        arrive,
        leave: leave(table),
        abort: table.find_frequency("abort").map(per_second),
        behaviour: behaviour(table.word("behaviour")),
        client: SimClient {
            config: Arc::new(client.config.clone()),
            send_buffer: client.send_buffer,
            send_ahead: client.send_ahead,
            pulse: client.pulse,
            start_up: client.start_up,
        },
        region: region(table, latency, regions, findings),
    })
}

fn role(table: &Record) -> Role {
    match table.variant("role") {
        ("seed", _) => Role::Seed,
        ("partial", keys) => Role::Partial(share(keys.number("fraction"))),
        _ => Role::Leecher,
    }
}

fn arrive(table: &Record, dir: &Path, findings: &mut Findings) -> Option<Arrive> {
    let (kind, keys) = table.variant("arrive");
    Some(match kind {
        "at" => Arrive::At(keys.time("time")),
        "every" => Arrive::Every(keys.time("gap")),
        "poisson" => Arrive::Poisson(per_second(keys.frequency("rate"))),
        "decaying" => Arrive::Decaying { rate: per_second(keys.frequency("rate")), tau: keys.time("tau") },
        "trace" => {
            let file = keys.text("file");
            let times = trace::read(&dir.join(file), file);
            let mut times = times.map_err(|message| findings.say(keys.place_of("file"), message)).ok()?;
            // With fewer nodes than times the first ones come.
            times.truncate(table.find_count("count").map_or(usize::MAX, |count| count as usize));
            Arrive::Trace(times)
        }
        _ => Arrive::Together(keys.time("within")),
    })
}

fn leave(table: &Record) -> Leave {
    match table.variant("leave") {
        ("on-complete", _) => Leave::OnComplete,
        ("after", keys) => Leave::After { time: keys.time("time"), exponential: keys.flag("exponential") },
        ("at-ratio", keys) => Leave::AtRatio(share(keys.number("ratio"))),
        _ => Leave::Stay,
    }
}

fn behaviour(word: &str) -> Behaviour {
    match word {
        "free-rider" => Behaviour::FreeRider,
        "bittyrant" => Behaviour::BitTyrant,
        "corrupter" => Behaviour::Corrupter,
        "staller" => Behaviour::Staller,
        "liar" => Behaviour::Liar,
        "flooder" => Behaviour::Flooder,
        "super-seed" => Behaviour::SuperSeed,
        _ => Behaviour::Honest,
    }
}

fn region(table: &mut Record, latency: &Latency, regions: &[String], findings: &mut Findings) -> u32 {
    let by_regions = matches!(latency, Latency::Regions(_));
    let Some(name) = table.find_text("region").map(str::to_owned) else {
        if by_regions {
            table.set("region", Plain::Text(regions[0].clone()));
        }
        return 0;
    };
    let place = table.place_of("region");
    if !by_regions {
        let help = "network.latency = { regions = [..], table = [..] }, or leave 'region' out";
        findings.add(place, "there are no regions: the latency is not given by them", help.to_owned());
        return 0;
    }
    let found = regions.iter().position(|region| *region == name);
    found.unwrap_or_else(|| {
        let help = match nearest(&name, regions.iter().map(String::as_str)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("regions are {}", regions.join(", ")),
        };
        findings.add(place, format!("there is no region {}", quote(&name)), help);
        0
    }) as u32
}

fn check_groups(tables: &[Record], groups: &[Group], findings: &mut Findings) {
    let mut nodes = 0;
    for (number, table) in tables.iter().enumerate() {
        let (name, place) = (table.text("name"), table.place_of("name"));
        if tables[..number].iter().any(|other| other.text("name") == name) {
            findings.add(
                place,
                format!("there are two groups called {}", quote(name)),
                "each needs a name of its own".to_owned(),
            );
        }
        if expect::is_reserved(name) {
            let help = format!("'{name}s' or '{name}-nodes' would do");
            findings.add(place, format!("{} is the name of a number of the result", quote(name)), help);
        }
        let role = table.variant("role").0;
        if role == "seed" && table.get("abort").is_some() {
            findings.say(table.place_of("abort"), "a seed has nothing to give up: 'abort' is for leechers");
        }
        if role != "seed" && table.word("behaviour") == "super-seed" {
            let help = "give the group the role \"seed\"".to_owned();
            findings.add(table.place_of("behaviour"), "only a seed can show its pieces one by one", help);
        }
        nodes += table.find_count("count").unwrap_or(1);
        if nodes > MOST_NODES {
            findings.add(
                table.place_of("count"),
                format!("{nodes} nodes in all are too many"),
                format!("at most {MOST_NODES} are simulated"),
            );
            break;
        }
    }
    let has_content = groups.iter().any(|group| group.role != Role::Leecher);
    if !has_content && groups.len() == tables.len() {
        let place = tables.first().map_or_else(Default::default, |table| table.place_of("role"));
        findings.add(place, "nobody has the content", "give one group the role \"seed\"".to_owned());
    }
}

fn check_run(run: &Record, findings: &mut Findings) {
    let (max_time, sample) = (run.time("max_time"), run.time("sample"));
    if max_time.as_nanos() / sample.as_nanos().max(1) > MOST_SAMPLES {
        let message =
            format!("a sample every '{}' of '{}' makes too many", exact_time(sample), exact_time(max_time));
        findings.add(run.place_of("sample"), message, format!("at most {MOST_SAMPLES} are kept"));
    }
    if run.time("warmup") >= max_time {
        let message = format!("the warmup, '{}', is as long as the run", exact_time(run.time("warmup")));
        findings.add(
            run.place_of("warmup"),
            message,
            format!("it must be below max_time, '{}'", exact_time(max_time)),
        );
    }
}

fn fault(table: &Record, groups: &[Group], findings: &mut Findings) -> Option<Fault> {
    let kind = match table.word("kind") {
        "partition" => {
            let (one, other) = table.pair("between");
            let place = table.place_of("between");
            let one = group_number(one, groups, place, findings)?;
            let other = group_number(other, groups, place, findings)?;
            if one == other {
                findings.say(place, "a partition lies between two groups, not within one");
                return None;
            }
            FaultKind::Partition(one, other)
        }
        "reset" => FaultKind::Reset(target(table, groups, findings)?),
        "crash" => FaultKind::Crash(target(table, groups, findings)?),
        "disk-slow" => FaultKind::DiskSlow(target(table, groups, findings)?, table.rate("rate")),
        "disk-full" => FaultKind::DiskFull(target(table, groups, findings)?),
        _ => FaultKind::TrackerDown,
    };
    Some(Fault { at: table.time("at"), length: table.find_time("for"), kind })
}

fn target(table: &Record, groups: &[Group], findings: &mut Findings) -> Option<Target> {
    let number = group_number(table.text("group"), groups, table.place_of("group"), findings)?;
    let all = groups[number as usize].count;
    let count = match (table.find_number("share"), table.find_count("count")) {
        (Some(_), Some(_)) => {
            findings.say(table.place_of("count"), "a fault takes 'share' or 'count', not both");
            return None;
        }
        // A share above nothing meets somebody.
        (Some(share), None) => {
            small((u64::from(all) * share + 500_000_000) / 1_000_000_000).max(u32::from(share > 0))
        }
        (None, Some(count)) => small(count).min(all),
        (None, None) => all,
    };
    Some(Target { group: number, count })
}

fn group_number(name: &str, groups: &[Group], place: super::Place, findings: &mut Findings) -> Option<u32> {
    let found = groups.iter().position(|group| group.name == name);
    if found.is_none() {
        let names = groups.iter().map(|group| group.name.as_str());
        let help = match nearest(name, names.clone()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("groups are {}", names.collect::<Vec<_>>().join(", ")),
        };
        findings.add(place, format!("there is no group {}", quote(name)), help);
    }
    found.map(|number| number as u32)
}

/// A count that its definition keeps below five million.
fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The simulator's form of a share or a ratio. The nearest double of an exact decimal: the same everywhere.
fn share(billionths: u64) -> f64 {
    billionths as f64 / 1e9
}

/// The simulator's form of a frequency, likewise.
fn per_second(billionths_per_hour: u64) -> f64 {
    billionths_per_hour as f64 / 3.6e12
}
