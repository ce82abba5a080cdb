//! What is to happen when: everything that the scenario decides by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use swarmlab_sim::{FaultKind, Model, NodePlan, Role};

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// The tracker stops answering, or goes on.
    Tracker { up: bool },
    /// A peer comes, or comes again after a crash.
    Come(usize),
    /// A peer goes for good.
    Go(usize),
    /// A peer goes for good if it is not complete.
    GiveUp(usize),
    /// A peer's process dies; it may come again.
    Crash(usize, bool),
    /// A row of the timeline is due.
    Sample,
}

/// What is due, in the order of time; at the same time in the order of [`Event`], so that samples see what has happened.
#[derive(Debug, Default)]
pub(crate) struct Agenda(BinaryHeap<Reverse<(Duration, Event)>>);

impl Agenda {
    /// Of a run: seeds come before leechers that come at the same time, as they have lower numbers or not.
    pub(crate) fn of(model: &Model, plans: &[NodePlan]) -> Agenda {
        let mut agenda = Agenda::default();
        for (peer, plan) in plans.iter().enumerate() {
            let Some(join) = plan.join else { continue };
            agenda.add(join, Event::Come(peer));
            if model.groups[plan.group as usize].role == Role::Seed {
                // A seed is complete when it comes.
                plan.stay.into_iter().for_each(|stay| agenda.add(join + stay, Event::Go(peer)));
            } else {
                plan.patience.into_iter().for_each(|time| agenda.add(join + time, Event::GiveUp(peer)));
            }
            for crash in plan.crashes.iter().filter(|crash| crash.at >= join) {
                agenda.add(crash.at, Event::Crash(peer, crash.back.is_some()));
                crash.back.into_iter().for_each(|back| agenda.add(back, Event::Come(peer)));
            }
        }
        for fault in model.faults.iter().filter(|fault| fault.kind == FaultKind::TrackerDown) {
            agenda.add(fault.at, Event::Tracker { up: false });
            fault
                .length
                .into_iter()
                .for_each(|length| agenda.add(fault.at + length, Event::Tracker { up: true }));
        }
        agenda.add(Duration::ZERO, Event::Sample);
        agenda
    }

    /// Adds something.
    pub(crate) fn add(&mut self, at: Duration, event: Event) {
        self.0.push(Reverse((at, event)));
    }

    /// Takes what is due by now, the earliest first.
    pub(crate) fn due(&mut self, now: Duration) -> Option<(Duration, Event)> {
        let Reverse((at, _)) = self.0.peek()?;
        if *at > now {
            return None;
        }
        self.0.pop().map(|Reverse(next)| next)
    }

    /// When the next thing is due.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }
}

#[cfg(test)]
mod tests {
    use swarmlab_experiments::scenario::{Options, Origin, Scenario};
    use swarmlab_sim::schedule;

    use super::*;

    const SCENARIO: &str = r#"schema = "scenario/1"
name = "t"
content = { size = "1 MiB" }
client = { start_up = "0 s" }
[[group]]
name = "origin"
role = "seed"
up = "4 Mbit/s"
leave = { kind = "after", time = "9 s" }
[[group]]
name = "leeches"
role = "leecher"
count = 2
up = "4 Mbit/s"
arrive = { kind = "every", gap = "2 s" }
[[fault]]
at = "5 s"
kind = "crash"
group = "leeches"
for = "3 s"
[[fault]]
at = "1 s"
kind = "tracker-down"
for = "4 s"
"#;

    #[test]
    fn everything_comes_in_the_order_of_time() {
        let scenario =
            Scenario::parse(SCENARIO, &Origin::named("t"), &[]).unwrap_or_else(|error| panic!("{error}"));
        let model = scenario.model(&Options::default()).unwrap();
        let mut agenda = Agenda::of(&model, &schedule(&model));
        let due: Vec<(u64, Event)> = std::iter::from_fn(|| agenda.due(Duration::from_secs(100)))
            .map(|(at, event)| (at.as_secs(), event))
            .collect();
        let expected = [
            (0, Event::Come(0)),
            (0, Event::Come(1)),
            (0, Event::Sample),
            (1, Event::Tracker { up: false }),
            (2, Event::Come(2)),
            (5, Event::Tracker { up: true }),
            (5, Event::Crash(1, true)),
            (5, Event::Crash(2, true)),
            (8, Event::Come(1)),
            (8, Event::Come(2)),
            (9, Event::Go(0)),
        ];
        assert_eq!(due, expected);
        assert_eq!(agenda.next(), None);
    }

    #[test]
    fn what_is_later_waits() {
        let mut agenda = Agenda::default();
        agenda.add(Duration::from_secs(2), Event::Sample);
        assert_eq!((agenda.due(Duration::from_secs(1)), agenda.next()), (None, Some(Duration::from_secs(2))));
    }
}
