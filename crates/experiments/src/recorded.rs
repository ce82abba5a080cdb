//! The header of a simulated run's trace: what the scenario says of it, in the words that scenarios use.

use swarmlab_protocol::Layout;
use swarmlab_sim::{Latency, Levels, Model, TORRENT};
use swarmlab_trace::{Content, GroupHead, Header};

use crate::numbers::micros;
use crate::results::role_name;
use crate::scenario::Scenario;

/// The header of the trace of a model; with the scenario it was made of, if there is one, and its text.
pub fn header(name: &str, model: &Model, levels: &Levels, scenario: Option<(&Scenario, &str)>) -> Header {
    let presets = scenario.map(|(scenario, _)| scenario.resolved_json());
    let preset = |group: usize| {
        let name = presets.as_ref().map(|all| &all["group"][group]["client"]["preset"]);
        name.and_then(|name| name.as_str()).unwrap_or("swarmlab").to_owned()
    };
    let groups = model.groups.iter().enumerate().map(|(number, group)| GroupHead {
        name: group.name.clone(),
        role: role_name(group.role).to_owned(),
        behaviour: group.behaviour.name().to_owned(),
        preset: preset(number),
        count: group.count.into(),
        up: group.up,
        down: group.down,
    });
    Header {
        seed: Some(model.seed),
        content: Some(content(name, model.content.layout)),
        groups: groups.collect(),
        nodes: model.groups.iter().map(|group| u64::from(group.count)).sum(),
        recorded: levels.recorded(),
        sample_us: micros(model.run.sample),
        latency_us: match model.network.latency {
            Latency::Constant(time) => Some(micros(time)),
            Latency::Uniform(..) | Latency::Regions(_) => None,
        },
        scenario: scenario.map(|(_, text)| text.to_owned()),
        ..Header::new(name, "simulated")
    }
}

fn content(name: &str, layout: Layout) -> Content {
    Content {
        info_hash: TORRENT.to_string(),
        name: name.to_owned(),
        length: layout.length(),
        piece_length: layout.piece_length(),
        piece_count: layout.piece_count(),
        block_length: layout.block_len(),
    }
}
