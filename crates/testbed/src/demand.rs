//! What a scenario asks for, held against what real programs on one machine can do: settings to pass on, notes on what will be
//! otherwise, or the reason why it cannot be made at all. Pure.

use std::time::Duration;

use serde_json::Value;
use swarmlab_experiments::scenario::Scenario;
use swarmlab_experiments::units::show_duration;
use swarmlab_sim::{Behaviour, FaultKind, Framing, Group, Latency, Role};

use crate::client::{Client, Settings};
use crate::layout::MOST_PEERS;

/// What a scenario asks for that no testbed can make.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmakable {
    /// More peers than a machine should run.
    #[error("{0} peers; a testbed has at most {MOST_PEERS}")]
    Peers(u64),
    /// Peers that hold a part of the content at the start.
    #[error("the group {0} begins with a part of the content; only seeds and leechers can be made")]
    Partial(String),
    /// Odd peers.
    #[error("the group {0} behaves as {1}; real clients are honest")]
    Behaviour(String, &'static str),
    /// Peers that nobody can connect to.
    #[error("the group {0} is behind NAT")]
    Nat(String),
    /// Something that goes wrong and that cannot be brought about.
    #[error("a fault of the kind {0}; only tracker-down and crash can be made")]
    Fault(&'static str),
}

/// What is made of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What will be otherwise than the scenario says, a sentence each.
    pub notes: Vec<String>,
    /// What the clients of each group are told.
    pub(crate) settings: Vec<Settings>,
}

impl Demand {
    /// Of a scenario whose peers all run this client.
    ///
    /// # Errors
    /// What cannot be made.
    pub fn of(scenario: &Scenario, client: Client) -> Result<Demand, Unmakable> {
        let peers = scenario.node_count();
        if peers > u64::from(MOST_PEERS) {
            return Err(Unmakable::Peers(peers));
        }
        scenario.groups.iter().try_for_each(group_can_be)?;
        if let Some(fault) = scenario.faults.iter().find_map(|fault| cannot_befall(&fault.kind)) {
            return Err(Unmakable::Fault(fault));
        }
        let mut notes = network_notes(scenario);
        let mut settings = Vec::new();
        for (number, group) in scenario.groups.iter().enumerate() {
            let (preset, changes) = scenario.client_of(number);
            let mut note = |text: String| {
                if !notes.contains(&text) {
                    notes.push(text);
                }
            };
            if !client.presets().contains(&preset.as_str()) {
                note(format!("the scenario has clients of the preset {preset}, these are {}", client.name()));
            }
            let (told, left) = tell(client, &changes);
            if !left.is_empty() {
                note(format!("not told to the clients of {}: {}", group.name, left.join(", ")));
            }
            settings.push(told);
        }
        Ok(Demand { notes, settings })
    }
}

fn group_can_be(group: &Group) -> Result<(), Unmakable> {
    let name = || group.name.clone();
    match group.role {
        Role::Partial(_) | Role::AllBut(_) => return Err(Unmakable::Partial(name())),
        Role::Seed | Role::Leecher => {}
    }
    if group.behaviour != Behaviour::Honest {
        return Err(Unmakable::Behaviour(name(), group.behaviour.name()));
    }
    if group.nat > 0.0 { Err(Unmakable::Nat(name())) } else { Ok(()) }
}

/// The kind of a fault that cannot be made.
fn cannot_befall(kind: &FaultKind) -> Option<&'static str> {
    match kind {
        FaultKind::TrackerDown | FaultKind::Crash(_) => None,
        FaultKind::Partition(..) => Some("partition"),
        FaultKind::Reset(_) => Some("reset"),
        FaultKind::DiskSlow(..) => Some("disk-slow"),
        FaultKind::DiskFull(_) => Some("disk-full"),
    }
}

fn network_notes(scenario: &Scenario) -> Vec<String> {
    let mut notes = Vec::new();
    let longest = match &scenario.network.latency {
        Latency::Constant(time) | Latency::Uniform(_, time) => *time,
        Latency::Regions(table) => table.iter().flatten().max().copied().unwrap_or_default(),
    };
    // What two ends of a veth pair and a bridge take by themselves.
    if longest.max(scenario.tracker.latency) > Duration::from_millis(1) {
        let longest = show_duration(longest);
        notes.push(format!(
            "links have no latency of their own (the scenario: up to {longest}); only their queues delay"
        ));
    }
    if scenario.network.framing == Framing::None {
        notes.push("rates count Ethernet frames, not BitTorrent bytes as in the scenario".to_owned());
    }
    notes
}

/// What a client can be told of these changes, and the others in words.
fn tell(client: Client, changes: &[(String, Value)]) -> (Settings, Vec<String>) {
    let (mut settings, mut left) = (Settings::default(), Vec::new());
    for (key, value) in changes {
        let place = match key.as_str() {
            "max_connections" => &mut settings.max_connections,
            "unchoke_slots" => &mut settings.upload_slots,
            // They follow from the two above.
            "initiate_up_to" | "unchoke_most" => continue,
            _ => {
                left.push(format!("{key} = {value}"));
                continue;
            }
        };
        if client.takes().contains(&key.as_str()) {
            *place = value.as_u64();
        } else {
            left.push(format!("{key} = {value}"));
        }
    }
    (settings, left)
}

#[cfg(test)]
mod tests {
    use swarmlab_experiments::scenario::Origin;

    use super::*;

    fn scenario(more: &str) -> Scenario {
        let text = format!(
            "schema = \"scenario/1\"\nname = \"t\"\ncontent = {{ size = \"1 MiB\" }}\n{more}\n[[group]]\nname = \"origin\"\n\
             role = \"seed\"\nup = \"4 Mbit/s\"\n[[group]]\nname = \"leeches\"\nrole = \"leecher\"\ncount = 3\nup = \"4 Mbit/s\"\n"
        );
        Scenario::parse(&text, &Origin::named("t"), &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    fn demand(more: &str, client: Client) -> Demand {
        Demand::of(&scenario(more), client).unwrap()
    }

    #[test]
    fn what_a_client_can_be_told_is_told_and_the_rest_noted() {
        let client = "network = { latency = \"1 ms\" }\ntracker = { latency = \"1 ms\" }\n[client]\npreset = \"libtorrent-2\"\n\
                      max_connections = 20\nunchoke_slots = 4\npicker = \"random\"";
        let lt = demand(client, Client::Libtorrent);
        assert_eq!(lt.settings, [Settings { max_connections: Some(20), upload_slots: Some(4) }; 2]);
        assert_eq!(
            lt.notes,
            ["origin", "leeches"]
                .map(|name| format!("not told to the clients of {name}: picker = \"random\""))
        );
        let aria2 = demand(client, Client::Aria2);
        assert_eq!(aria2.settings[0], Settings { max_connections: Some(20), upload_slots: None });
        assert_eq!(aria2.notes[0], "the scenario has clients of the preset libtorrent-2, these are aria2");
        assert!(aria2.notes[1].ends_with("picker = \"random\", unchoke_slots = 4"), "{:?}", aria2.notes);
    }

    #[test]
    fn defaults_are_the_programs_own() {
        let plain = demand(
            "network = { latency = \"100 us\" }\ntracker = { latency = \"100 us\" }",
            Client::Swarmlab,
        );
        assert_eq!(plain, Demand { notes: vec![], settings: vec![Settings::default(); 2] });
        let far = demand("network = { latency = \"20 ms\", framing = \"none\" }", Client::Swarmlab);
        assert!(far.notes[0].contains("up to 20 ms") && far.notes[1].contains("Ethernet"), "{:?}", far.notes);
    }

    #[test]
    fn what_cannot_be_made_is_refused_by_name() {
        let refused = |change: &dyn Fn(&mut Scenario)| {
            let mut scenario = scenario("");
            change(&mut scenario);
            Demand::of(&scenario, Client::Swarmlab).unwrap_err()
        };
        let leeches = || "leeches".to_owned();
        assert_eq!(refused(&|all| all.groups[1].count = 250), Unmakable::Peers(251));
        assert_eq!(refused(&|all| all.groups[1].role = Role::Partial(0.5)), Unmakable::Partial(leeches()));
        assert_eq!(refused(&|all| all.groups[1].nat = 0.1), Unmakable::Nat(leeches()));
        let rider = refused(&|all| all.groups[1].behaviour = Behaviour::FreeRider);
        assert_eq!(rider, Unmakable::Behaviour(leeches(), "free-rider"));
        let fault = |kind| swarmlab_sim::Fault { at: Duration::ZERO, length: None, kind };
        let cut = refused(&|all| all.faults.push(fault(FaultKind::Partition(0, 1))));
        assert_eq!(cut, Unmakable::Fault("partition"));
    }
}
