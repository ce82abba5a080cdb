//! Scenarios drawn from a seed, run under the checkers: what nobody thought of writing down.
//!
//! [`draw`] makes a whole scenario of a seed: content, links, groups, clients, odd behaviours, faults. [`Trial::of`] runs it
//! several times (with and without checkers, with one thread and with several) and says which rules were broken.
//! [`shrink`] makes what fails as small as it gets. All three work on a [`Draft`], the text of a scenario in parts, so what
//! fails is a scenario file like any other.

mod draft;
mod draw;
mod panics;
mod shrink;
#[cfg(test)]
mod tests;
mod trial;

pub use draft::{Draft, Section};
pub use draw::draw;
pub use shrink::shrink;
pub use trial::{Finding, Rule, Trial};
