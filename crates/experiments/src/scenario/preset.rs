//! Named behaviours of clients, as data of the engine.

use swarmlab_protocol::Config;

/// The names of all presets.
pub(crate) const NAMES: [&str; 1] = ["swarmlab"];

/// The behaviour of a preset.
pub(crate) fn by_name(name: &str) -> Option<Config> {
    (name == "swarmlab").then(Config::default)
}

/// What a preset is, in one line.
pub(crate) fn description(name: &str) -> Option<&'static str> {
    (name == "swarmlab").then_some("our own defaults, as the real client uses them")
}
