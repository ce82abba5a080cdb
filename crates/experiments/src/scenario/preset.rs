//! Named behaviours of clients, as data of the engine.

use swarmlab_protocol::Config;

/// The names of all presets.
pub(crate) const NAMES: &[&str] = &["swarmlab"];

/// The behaviour of a preset.
pub(crate) fn by_name(name: &str) -> Option<Config> {
    (name == "swarmlab").then(Config::default)
}
