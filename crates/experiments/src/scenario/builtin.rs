//! The scenarios that come with the program, in the order of a course: each one's comments say what to look at and
//! what one should see.

use super::{Diagnostics, Origin, Scenario};

/// A scenario that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// What it is called.
    pub name: &'static str,
    /// Its file.
    pub text: &'static str,
}

macro_rules! builtins {
    ($($name:literal),* $(,)?) => {
        const ALL: &[Builtin] = &[
            $(Builtin { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".toml")) },)*
        ];
    };
}

builtins![
    "quickstart",
    "flash-crowd",
    "steady-state",
    "slow-seed",
    "free-riders",
    "seed-leaves",
    "tracker-outage",
    "hostile",
    "fleet-rollout",
    "hundred-thousand",
    "million",
];

/// All of them, easiest first.
pub fn all() -> &'static [Builtin] {
    ALL
}

/// The one of this name.
pub fn find(name: &str) -> Option<&'static Builtin> {
    ALL.iter().find(|builtin| builtin.name == name)
}

/// The name that was most likely meant, if any is near.
pub fn nearest(name: &str) -> Option<&'static str> {
    super::diagnostic::nearest(name, ALL.iter().map(|builtin| builtin.name))
}

impl Builtin {
    /// Reads it, changed by texts `PATH=VALUE`.
    ///
    /// # Errors
    /// When one of those is wrong.
    pub fn parse(&self, sets: &[String]) -> Result<Scenario, Diagnostics> {
        Scenario::parse(self.text, &Origin::named(self.name), sets)
    }
}
