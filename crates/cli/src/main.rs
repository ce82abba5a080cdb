//! The swarmlab command line.
fn main() {}
