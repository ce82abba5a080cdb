//! `predict`: how long a swarm will take, how sure that is, what holds it up, and what would change it.
//!
//! A question ([`Question`], or any scenario) becomes a [`Plan`]: runs in the order of their worth. Whoever has threads and a
//! clock runs as many as there is time for and hands in what was kept of them ([`Record`]); [`answer`] makes a [`Prediction`] of
//! it, with the physical bound (`bound`) and plain HTTP (`http`) beside the simulated times.
//!
//! Large content is simulated with coarser blocks (`coarse`). What that costs is measured on reduced models small enough for
//! fine blocks (`reduced`), is added to the times with its uncertainty, and is part of the answer. [`Predicted`] holds a
//! prediction against a real swarm; [`Calibration`] brings what a real network was found to lose into the next one.
//!
//! Nothing here reads a clock: the same runs make the same answer.

mod answer;
mod calibration;
mod coarse;
mod document;
mod estimate;
pub mod http;
pub mod nodes;
mod plan;
mod question;
mod reality;
mod record;
mod reduced;
mod settings;
mod start;
#[cfg(test)]
pub(crate) mod tests;
mod text;

pub use answer::{Done, NoAnswer, answer};
pub use calibration::Calibration;
pub use coarse::Coarsening;
pub use document::{
    Binding, Bounds, ClassAnswer, Coarse, Figure, Http, Origin, Prediction, Reduction, Runs, SettingEffect,
    TimeFigures,
};
pub use estimate::Estimate;
pub use plan::{Job, Plan};
pub use question::{Class, Question, QuestionError};
pub use reality::{Line, Predicted, Reality, Verdict};
pub use record::{Record, Times, Used};
pub use reduced::Reduced;
pub use settings::Setting;
pub use start::{Start, StartError};
