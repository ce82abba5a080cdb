//! What was found, for people; and the comment of the file that keeps it.

use std::time::Duration;

use super::{Fit, Residual};
use crate::numbers::{Decimal, Signed, count};
use crate::table::{Table, clipped};
use crate::units::show_duration;

impl Fit {
    /// What was found and what remains, each line with its end.
    pub fn summary(&self) -> String {
        let known = &self.calibration;
        let mut table = Table::new([
            "errors of the mean",
            "runs",
            "real mean",
            "before",
            "after",
            "median",
            "95 %",
            "last",
        ]);
        for case in &self.cases {
            table.row(cells(case));
        }
        format!(
            "links give {} of their nominal rate, uncertain by {} of it\n{}\n\n{table}",
            Decimal::micros(known.rate).percent(),
            self.rate_half.percent(),
            self.startup_words(),
        )
    }

    /// The file that keeps it.
    pub fn file(&self) -> String {
        let runs: u64 = self.cases.iter().map(|case| case.runs).sum();
        let worst =
            self.cases.iter().filter_map(|case| case.mean).max_by_key(|error| error.size().millionths());
        let worst = worst.map_or_else(String::new, |error| {
            format!(", mean times are then off by {} at most", error.size().percent())
        });
        let comment = format!(
            "swarmlab predict --calibration FILE: fitted to {} of {}{worst}.\n\
             rate: share of the nominal rate that links give. startup: what every start takes beyond the model.\n{}",
            count(runs, "real run"),
            count(self.cases.len() as u64, "scenario"),
            self.startup_words(),
        );
        self.calibration.toml(&comment)
    }

    fn startup_words(&self) -> String {
        let startup = show_duration(Duration::from_micros(self.calibration.startup_us));
        if self.startup_fitted {
            format!("each start takes {startup} longer than in the model")
        } else {
            "start-up time: not told by one length of content or by two that are close, so 0; add runs of a much longer one"
                .to_owned()
        }
    }

    /// The document as JSON text, with a line end.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain numbers and texts have a JSON form") + "\n"
    }
}

fn cells(case: &Residual) -> Vec<String> {
    let error = |error: Option<Signed>| error.map_or_else(|| "-".to_owned(), Signed::percent);
    let real = Duration::from_micros(case.real_mean_seconds.millionths() as u64);
    vec![
        clipped(&case.name, 28),
        case.runs.to_string(),
        show_duration(real),
        error(case.mean_before),
        error(case.mean),
        error(case.p50),
        error(case.p95),
        error(case.last),
    ]
}
