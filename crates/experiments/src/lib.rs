//! Questions asked of the simulator: scenario files in, results and reports out.
#![forbid(unsafe_code)]

pub mod bound;
pub mod numbers;
pub mod statistics;
pub mod table;
