//! What `swarmlab replay` makes of a trace: a summary, the state at a moment, a line of JSON for each record.

pub(crate) mod lines;
pub(crate) mod state;
pub(crate) mod summary;
