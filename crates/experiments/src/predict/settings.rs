//! Settings that may matter: one change each to the model, tried with the seeds of the runs without it.

use std::sync::Arc;

use swarmlab_metainfo::Layout;
use swarmlab_protocol::Config;
use swarmlab_sim::{Behaviour, Model, Role};

use super::coarse::Coarsening;
use crate::units::exact_size;

/// One change to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Pieces of this many bytes.
    PieceLength(u64),
    /// So many slots at every honest node, always.
    UnchokeSlots(u16),
    /// At most so many connections at every honest node.
    Connections(u16),
    /// One more node like those of this group, which are seeds: so many then.
    Seeds(usize, u32),
}

impl Setting {
    /// What is worth trying with a model, the likeliest to matter first.
    pub fn worth_trying(model: &Model, coarsening: Coarsening) -> Vec<Setting> {
        let mut settings = Vec::new();
        let seeds =
            |group: &swarmlab_sim::Group| group.role == Role::Seed && group.behaviour == Behaviour::Honest;
        if let Some(group) = model.groups.iter().position(seeds) {
            settings.push(Setting::Seeds(group, model.groups[group].count.saturating_add(1)));
        }
        let nodes: u64 = model.groups.iter().map(|group| u64::from(group.count)).sum();
        let Some(config) = config(model) else { return settings };
        let slots = config.unchoke_slots;
        settings.extend(slots.checked_mul(2).map(Setting::UnchokeSlots));
        let length = u64::from(model.content.layout.piece_length());
        if length * 2 <= 1 << 28 && model.content.layout.piece_count() >= 4 {
            settings.push(Setting::PieceLength(length * 2));
        }
        let most = config.max_connections;
        if u64::from(most) < nodes - 1 {
            settings.extend(most.checked_mul(2).map(Setting::Connections));
        }
        if length / 2 * u64::from(coarsening.merged()) >= coarsening.block()
            && length > u64::from(Layout::BLOCK_LEN)
        {
            settings.push(Setting::PieceLength(length / 2));
        }
        if most >= 16 && nodes > u64::from(most / 2) {
            settings.push(Setting::Connections(most / 2));
        }
        if slots >= 4 {
            settings.push(Setting::UnchokeSlots(slots / 2));
        }
        settings
    }

    /// The model with it.
    pub fn apply(self, model: &Model) -> Model {
        let mut model = model.clone();
        match self {
            Setting::PieceLength(length) => {
                let layout = model.content.layout;
                if let Ok(layout) = Layout::new(layout.length(), length, layout.block_len()) {
                    model.content.layout = layout;
                }
            }
            Setting::UnchokeSlots(slots) => configure(&mut model, |config| {
                (config.unchoke_slots, config.unchoke_most) = (slots, 0);
                config.optimistic_slots = config.optimistic_slots.min(slots);
            }),
            Setting::Connections(most) => configure(&mut model, |config| {
                let initiate = u32::from(config.initiate_up_to) * u32::from(most);
                config.initiate_up_to = (initiate / u32::from(config.max_connections.max(1))).max(1) as u16;
                config.max_connections = most;
            }),
            // Behind all others, so that every node keeps its number, and with it its luck.
            Setting::Seeds(group, _) => {
                let one = swarmlab_sim::Group { count: 1, ..model.groups[group].clone() };
                model.groups.push(one);
            }
        }
        model
    }

    /// What it is, in words.
    pub fn name(self) -> &'static str {
        match self {
            Setting::PieceLength(_) => "piece length",
            Setting::UnchokeSlots(_) => "unchoke slots",
            Setting::Connections(_) => "connections",
            Setting::Seeds(..) => "one more seed",
        }
    }

    /// The value that a model has, and the one it sets.
    pub fn values(self, model: &Model) -> (String, String) {
        let layout = model.content.layout;
        let config = config(model);
        let slots = |config: &Config| match (config.unchoke_slots, config.unchoke_most) {
            (least, most) if most > least => format!("{least} to {most}"),
            (slots, _) => slots.to_string(),
        };
        match self {
            Setting::PieceLength(length) => (exact_size(layout.piece_length().into()), exact_size(length)),
            Setting::UnchokeSlots(new) => (config.map_or_else(String::new, slots), new.to_string()),
            Setting::Connections(new) => (
                config.map_or_else(String::new, |config| config.max_connections.to_string()),
                new.to_string(),
            ),
            Setting::Seeds(group, new) => (model.groups[group].count.to_string(), new.to_string()),
        }
    }

    /// How a scenario says it: `PATH=VALUE` of `--set`.
    pub fn path(self, model: &Model) -> String {
        let (_, value) = self.values(model);
        match self {
            Setting::PieceLength(_) => format!("content.piece_length={value}"),
            Setting::UnchokeSlots(_) => format!("client.unchoke_slots={value}"),
            Setting::Connections(_) => format!("client.max_connections={value}"),
            Setting::Seeds(group, _) => format!("group.{}.count={value}", model.groups[group].name),
        }
    }
}

/// The settings of the first honest nodes that lack something; those of others are changed to the same.
fn config(model: &Model) -> Option<&Config> {
    let honest = model.groups.iter().filter(|group| group.behaviour == Behaviour::Honest);
    honest
        .clone()
        .find(|group| group.role != Role::Seed)
        .or(honest.clone().next())
        .map(|group| &*group.client.config)
}

fn configure(model: &mut Model, change: impl Fn(&mut Config)) {
    for group in model.groups.iter_mut().filter(|group| group.behaviour == Behaviour::Honest) {
        let mut config = (*group.client.config).clone();
        change(&mut config);
        group.client.config = Arc::new(config);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::tests::model;

    #[test]
    fn each_changes_one_thing() {
        let base = model("64 MiB", 80);
        let settings = Setting::worth_trying(&base, Coarsening::NONE);
        let shown: Vec<String> = settings
            .iter()
            .map(|setting| {
                format!("{}: {}, {}", setting.name(), setting.values(&base).0, setting.path(&base))
            })
            .collect();
        let expected = [
            "one more seed: 1, group.origin.count=2",
            "unchoke slots: 4 to 7, client.unchoke_slots=8",
            "piece length: 64 KiB, content.piece_length=128 KiB",
            "connections: 50, client.max_connections=100",
            "piece length: 64 KiB, content.piece_length=32 KiB",
            "connections: 50, client.max_connections=25",
            "unchoke slots: 4 to 7, client.unchoke_slots=2",
        ];
        assert_eq!(shown, expected);
        for setting in settings.into_iter().filter(|setting| !matches!(setting, Setting::Seeds(..))) {
            let changed = setting.apply(&base);
            assert_eq!(setting.values(&changed).0, setting.values(&base).1);
        }
    }

    #[test]
    fn a_small_swarm_cannot_have_more_connections() {
        let base = model("64 MiB", 20);
        let settings = Setting::worth_trying(&base, Coarsening::NONE);
        assert!(!settings.iter().any(|setting| setting.name() == "connections"), "{settings:?}");
    }
}
