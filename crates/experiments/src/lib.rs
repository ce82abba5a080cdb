//! Questions asked of the simulator: scenario files in, results and reports out.
#![forbid(unsafe_code)]

pub mod scenario;
pub mod units;
