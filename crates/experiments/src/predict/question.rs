//! What is asked: content, nodes and links, given by flags, by a table of nodes or by a scenario. All three become a scenario.

use std::fmt::Write as _;
use std::time::Duration;

use swarmlab_sim::Role;

use super::start::{Start, split};
use crate::scenario::{Diagnostics, Origin, Scenario};
use crate::units::{exact_rate, exact_size, exact_time};

/// Most classes of nodes: the simulator takes 1,000 groups, one of which is the origin and another a second one.
const MOST_CLASSES: usize = 998;
/// Most nodes: what a scenario may have, less the origin.
const MOST_NODES: u64 = 4_999_000;

/// A question given by flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Length of the content in bytes.
    pub size: u64,
    /// Length of a piece in bytes; by the length of the content without it.
    pub piece_length: Option<u64>,
    /// The nodes that want it.
    pub nodes: Vec<Class>,
    /// Uplink of the origin in bytes per second.
    pub origin_up: u64,
    /// One-way latency between two nodes.
    pub latency: Duration,
    /// When the nodes start.
    pub start: Start,
}

/// Nodes with equal links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// What they are called, if anything.
    pub name: Option<String>,
    /// How many.
    pub count: u32,
    /// Uplink of each in bytes per second.
    pub up: u64,
    /// Downlink of each in bytes per second.
    pub down: u64,
}

/// Why a question cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// There are too many different links.
    #[error("the nodes have {0} different pairs of up and down; at most {MOST_CLASSES} are told apart")]
    Classes(usize),
    /// There are none, or too many.
    #[error("{0} nodes; there may be from 1 to {MOST_NODES}")]
    Nodes(u64),
    /// Something in it is out of bounds.
    #[error("the question makes no scenario")]
    Scenario(Diagnostics),
}

impl Question {
    /// The scenario that asks it, changed by texts `PATH=VALUE`. The origin is the group `origin`; nodes are the group `nodes`, or with
    /// different links a group for each pair of rates.
    ///
    /// # Errors
    /// When nodes are too many or too different, or a value is out of the bounds of scenarios.
    pub fn scenario(&self, sets: &[String]) -> Result<Scenario, QuestionError> {
        let classes = merged(&self.nodes);
        if classes.len() > MOST_CLASSES {
            return Err(QuestionError::Classes(classes.len()));
        }
        let all: u64 = classes.iter().map(|class| u64::from(class.count)).sum();
        if all == 0 || all > MOST_NODES {
            return Err(QuestionError::Nodes(all));
        }
        let origin = Origin::named("the question as a scenario");
        let text = self.text(&classes[0], all);
        let mut scenario = Scenario::parse(&text, &origin, sets).map_err(QuestionError::Scenario)?;
        if classes.len() > 1
            && let Some(at) = scenario.groups.iter().position(|group| group.role != Role::Seed)
        {
            let model = scenario.groups.remove(at);
            let several = classes.iter().enumerate().map(|(number, class)| swarmlab_sim::Group {
                name: class.name.clone().unwrap_or_else(|| format!("nodes-{}", number + 1)),
                count: class.count,
                up: class.up,
                down: class.down,
                arrive: split(&model.arrive, class.count, all as u32),
                ..model.clone()
            });
            scenario.groups.splice(at..at, several);
        }
        Ok(scenario)
    }

    fn text(&self, first: &Class, all: u64) -> String {
        let mut text = "schema = \"scenario/1\"\nname = \"prediction\"\n".to_owned();
        let _ = writeln!(text, "[content]\nsize = \"{}\"", exact_size(self.size));
        if let Some(length) = self.piece_length {
            let _ = writeln!(text, "piece_length = \"{}\"", exact_size(length));
        }
        // As long as it takes: whoever asks does not know yet.
        text.push_str("[run]\nmax_time = \"3650 d\"\nsample = \"64 s\"\n");
        let latency = exact_time(self.latency);
        let _ = writeln!(text, "[network]\nlatency = \"{latency}\"\n[tracker]\nlatency = \"{latency}\"");
        let _ = writeln!(
            text,
            "[[group]]\nname = \"origin\"\nrole = \"seed\"\nup = \"{}\"\n[[group]]\nname = \"nodes\"\nrole = \"leecher\"\n\
             count = {all}\nup = \"{}\"\ndown = \"{}\"\narrive = {}",
            exact_rate(self.origin_up),
            exact_rate(first.up),
            exact_rate(first.down),
            self.start.toml(),
        );
        text
    }
}

/// Classes with equal links as one, in the order of their first mention.
fn merged(classes: &[Class]) -> Vec<Class> {
    let mut merged: Vec<(Class, u32)> = Vec::new();
    let mut places = std::collections::BTreeMap::new();
    for class in classes.iter().filter(|class| class.count > 0) {
        let place = *places.entry((class.up, class.down)).or_insert(merged.len());
        match merged.get_mut(place) {
            Some((first, others)) => {
                first.count = first.count.saturating_add(class.count);
                *others += 1;
            }
            None => merged.push((class.clone(), 0)),
        }
    }
    let named = |(class, others): (Class, u32)| {
        let name = class.name.map(|name| if others > 0 { format!("{name} and {others} more") } else { name });
        Class { name, ..class }
    };
    merged.into_iter().map(named).collect()
}
