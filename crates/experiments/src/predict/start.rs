//! When nodes start, as a flag says it: `together`, `within 10 min`, `every 2 s`, `poisson 2 /s`.

use std::time::Duration;

use swarmlab_sim::Arrive;

use crate::units::{UnitError, exact_frequency, exact_time, parse_frequency, parse_time};

/// When nodes start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// All within this time, uniformly; all at once if it is nothing.
    Within(Duration),
    /// One by one with this gap.
    Every(Duration),
    /// As a Poisson process, in billionths of a start per hour.
    Poisson(u64),
}

/// Why a text is no start.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// It begins with another word.
    #[error(
        "nodes start 'together', 'within TIME', 'every TIME' or 'poisson FREQUENCY', such as 'within 10 min'"
    )]
    Unknown,
    /// What follows the word is no quantity.
    #[error(transparent)]
    Quantity(#[from] UnitError),
}

impl std::str::FromStr for Start {
    type Err = StartError;

    fn from_str(text: &str) -> Result<Start, StartError> {
        let (word, rest) = text.trim().split_once([' ', '=', ':']).unwrap_or((text.trim(), ""));
        match (word, rest) {
            ("together", "") => Ok(Start::Within(Duration::ZERO)),
            ("together" | "within", time) => Ok(Start::Within(parse_time(time)?)),
            ("every", gap) => Ok(Start::Every(parse_time(gap)?)),
            ("poisson", rate) => Ok(Start::Poisson(parse_frequency(rate)?)),
            _ => Err(StartError::Unknown),
        }
    }
}

impl Start {
    /// The value of the key `arrive` in a scenario.
    pub(super) fn toml(self) -> String {
        match self {
            Start::Within(time) => format!("{{ kind = \"together\", within = \"{}\" }}", exact_time(time)),
            Start::Every(gap) => format!("{{ kind = \"every\", gap = \"{}\" }}", exact_time(gap)),
            Start::Poisson(rate) => format!("{{ kind = \"poisson\", rate = \"{}\" }}", exact_frequency(rate)),
        }
    }
}

/// How `part` of `all` nodes arrive that arrive like this in all: processes are split, so that all together are what was said.
pub(super) fn split(arrive: &Arrive, part: u32, all: u32) -> Arrive {
    match arrive {
        Arrive::Every(gap) => Arrive::Every(*gap * all / part.max(1)),
        // A Poisson process, each of whose points is given to a class by chance, is one Poisson process for each class.
        Arrive::Poisson(rate) => Arrive::Poisson(rate * f64::from(part) / f64::from(all)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_read() {
        let read = |text: &str| text.parse::<Start>();
        assert_eq!(read("together"), Ok(Start::Within(Duration::ZERO)));
        assert_eq!(read(" within 10 min "), Ok(Start::Within(Duration::from_secs(600))));
        assert_eq!(read("every 2 s").unwrap().toml(), "{ kind = \"every\", gap = \"2 s\" }");
        assert_eq!(read("poisson 2 /s").unwrap().toml(), "{ kind = \"poisson\", rate = \"2 /s\" }");
        assert_eq!(read("sometime"), Err(StartError::Unknown));
        assert!(read("within 10").unwrap_err().to_string().contains("unit"));
    }

    #[test]
    fn classes_share_a_process() {
        assert_eq!(
            split(&Arrive::Every(Duration::from_secs(2)), 10, 40),
            Arrive::Every(Duration::from_secs(8))
        );
        assert_eq!(split(&Arrive::Poisson(4.0), 10, 40), Arrive::Poisson(1.0));
    }
}
