//! The real network: peers, disk and trackers on tokio; walking and hashing trees.

pub mod tracker;
pub mod tree;
