//! Questions asked of the simulator: scenario files in, results and reports out.
#![forbid(unsafe_code)]

pub mod accuracy;
pub mod bound;
pub mod compare;
pub mod fuzz;
pub mod lesson;
pub mod numbers;
pub mod recorded;
pub mod repeats;
mod report;
pub mod results;
pub mod scenario;
pub mod statistics;
mod summary;
pub mod table;
pub mod units;
