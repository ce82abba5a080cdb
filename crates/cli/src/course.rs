//! How far a simulated run has come: a bar on a terminal, else a plain line every 10 s. The words are a pure function of
//! what the simulator tells and of the wall time; only [`Course`] reads a clock.

use std::io::Write as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use swarmlab_experiments::numbers::{Decimal, significant};
use swarmlab_experiments::units::{rate_of, show_duration, show_number};
use swarmlab_sim::{Model, Progress, Role, Stop};

use crate::env::Env;

/// Between two plain lines.
const LINES: Duration = Duration::from_secs(10);
/// Between two pictures on a terminal: ten a second are smooth enough.
const REDRAW: Duration = Duration::from_millis(100);

/// What a run goes towards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Goal {
    /// Content in bytes that leechers will have received; nothing if the run ends by time alone.
    content: u64,
    /// The longest simulated time.
    time: Duration,
}

impl Goal {
    fn of(model: &Model) -> Goal {
        let length = model.content.layout.length();
        let content = model.groups.iter().filter(|group| model.awaits(group)).map(|group| {
            let lacked = match group.role {
                Role::Partial(share) => length - ((length as f64 * share) as u64).min(length),
                _ => length,
            };
            u64::from(group.count).saturating_mul(lacked)
        });
        Goal {
            content: if model.run.stop == Stop::LeechersDone { content.sum() } else { 0 },
            time: model.run.max_time,
        }
    }

    /// Thousandths of the way, never all of it: a run says itself when it is over.
    fn thousandths(self, progress: &Progress) -> u64 {
        let (done, all) = match self.content {
            0 => (progress.at.as_micros(), self.time.as_micros()),
            content => (u128::from(progress.received), u128::from(content)),
        };
        (done * 1000).checked_div(all).map_or(999, |share| share.min(999) as u64)
    }

    /// Simulated time, its rate, blocks a second, and how long it takes yet.
    fn words(self, progress: &Progress, wall: Duration) -> String {
        let done = self.thousandths(progress);
        let left = wall.as_millis() * u128::from(1000 - done);
        let left = left.checked_div(done.into()).and_then(|millis| u64::try_from(millis).ok());
        // Before a hundredth is done, the share says little about the speed.
        let left = left.filter(|_| done >= 10).map(|millis| show_duration(Duration::from_millis(millis)));
        let pace =
            Decimal::ratio(progress.at.as_micros(), wall.as_micros()).map_or_else(String::new, significant);
        format!(
            "simulated {}, {} s/s, {} blocks/s, {} left",
            show_duration(progress.at),
            pace,
            show_number(rate_of(progress.blocks, wall)),
            left.as_deref().unwrap_or("?"),
        )
    }
}

/// The course of one run.
pub(crate) struct Course<'a> {
    env: &'a Env,
    what: String,
    goal: Goal,
    started: Instant,
    next: Instant,
    bar: Option<ProgressBar>,
}

impl<'a> Course<'a> {
    /// Of a run that begins now. With `-q` nothing is shown.
    pub(crate) fn new(env: &'a Env, what: &str, model: &Model) -> Course<'a> {
        let terminal = env.err_is_terminal() && !env.quiet();
        let bar = terminal.then(|| {
            let template = if env.err_style().is_on() {
                "{prefix} {wide_bar:.cyan/dim} {percent:>3} %  {msg}"
            } else {
                "{prefix} [{wide_bar}] {percent:>3} %  {msg}"
            };
            let chars = if env.err_style().is_on() { "━━─" } else { "#>-" };
            let style = ProgressStyle::with_template(template).expect("the template is constant");
            ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr_with_hz(10))
                .with_style(style.progress_chars(chars))
                .with_prefix(what.to_owned())
        });
        let started = Instant::now();
        let next = started + if terminal { REDRAW } else { LINES };
        Course { env, what: what.to_owned(), goal: Goal::of(model), started, next, bar }
    }

    /// Wall time since the beginning.
    pub(crate) fn wall(&self) -> Duration {
        self.started.elapsed()
    }

    /// Shows how far the run is, if it is time to.
    pub(crate) fn show(&mut self, progress: &Progress) {
        let now = Instant::now();
        if now < self.next || self.env.quiet() {
            return;
        }
        let (done, words) = (self.goal.thousandths(progress), self.goal.words(progress, now - self.started));
        if let Some(bar) = &self.bar {
            self.next = now + REDRAW;
            bar.set_position(done);
            bar.set_message(words);
        } else {
            self.next = now + LINES;
            let _ = writeln!(self.env.err(), "{}: {} %, {words}", self.what, done / 10);
        }
    }
}

impl Drop for Course<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(at: u64, received: u64) -> Progress {
        Progress { at: Duration::from_secs(at), events: 0, blocks: 3_000_000, pending: 1, received }
    }

    #[test]
    fn the_share_is_of_content_where_leechers_are_waited_for() {
        let goal = Goal { content: 1000, time: Duration::from_secs(100) };
        let wall = Duration::from_secs(2);
        assert_eq!(
            goal.words(&progress(50, 250), wall),
            "simulated 50.0 s, 25.0 s/s, 1.5 M blocks/s, 6.0 s left"
        );
        assert_eq!(goal.words(&progress(50, 9), wall), "simulated 50.0 s, 25.0 s/s, 1.5 M blocks/s, ? left");
        // What is received twice does not finish a run.
        assert_eq!(goal.thousandths(&progress(50, 2000)), 999);
    }

    #[test]
    fn the_share_is_of_time_where_nobody_is_waited_for() {
        let goal = Goal { content: 0, time: Duration::from_secs(100) };
        assert_eq!(goal.thousandths(&progress(30, 0)), 300);
    }
}
