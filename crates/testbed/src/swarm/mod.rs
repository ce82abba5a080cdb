//! A run: peers come and go as planned, and what they do is written down until the scenario's end.

mod agenda;
mod member;
mod stage;

use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use swarmlab_experiments::results::Measured;
use swarmlab_experiments::scenario::{Options, Scenario};
use swarmlab_sim::{End, Leave, Model, NodePlan, Outcome, Role, Sample, Stop, schedule};

use crate::client::Client;
use crate::demand::Demand;
use crate::error::TestbedError;
use crate::load::Load;
use crate::observe::{ASK, Message, Seen};
use crate::outcome::{self, Record};
use crate::programs;

use agenda::{Agenda, Event};
use member::Member;
use stage::Stage;

/// No run is longer, whatever its scenario says.
const LONGEST: Duration = Duration::from_secs(2 * 3_600);
/// Share of the processors in millionths that may be busy before a result says so.
const TOO_BUSY: u128 = 800_000;
/// How long all clients together may take to be ready.
const READY: Duration = Duration::from_secs(120);
/// Longest pause in which nothing is looked after.
const LOOK: Duration = Duration::from_millis(50);

/// What is run.
pub struct Setup<'a> {
    /// The scenario, with its seed.
    pub scenario: &'a Scenario,
    /// The program all peers run.
    pub client: Client,
    /// This program: the tracker, and the client `swarmlab`.
    pub program: &'a Path,
    /// Told the directory of the run, which whoever ends this process at once may remove.
    pub scratch: &'a dyn Fn(&Path),
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Since its start; nothing while it is prepared.
    pub at: Duration,
    /// Peers that have come.
    pub joined: usize,
    /// Leechers that have everything.
    pub completed: usize,
    /// Leechers in all.
    pub leechers: usize,
    /// Content that leechers have received, in bytes.
    pub received: u64,
}

/// What was measured.
#[derive(Debug)]
pub struct Taken {
    /// The model of the scenario.
    pub model: Model,
    /// What came of it; what only a simulator knows is nothing.
    pub outcome: Outcome,
    /// By what means.
    pub measured: Measured,
    /// Time from the first thing that was prepared to the last that was put away.
    pub wall: Duration,
}

/// Runs a scenario with real programs. `watch` is told about every tenth of a second how far it is, and stops the run with
/// `false`. Nothing of the run is left when this returns, but what it gives.
///
/// # Errors
/// When the scenario asks for what cannot be made, something is missing, or a program ends that should not.
pub fn run(setup: &Setup<'_>, watch: &mut dyn FnMut(&Progress) -> bool) -> Result<Taken, TestbedError> {
    let begun = Instant::now();
    let demand = Demand::of(setup.scenario, setup.client)?;
    let model = setup.scenario.model(&Options { timeline: true, ..Options::default() })?;
    let plans = schedule(&model);
    let groups: Vec<u32> = plans.iter().map(|plan| plan.group).collect();
    let stage = Stage::make(setup, &model, &groups)?;
    let members = plans.iter().enumerate().map(|(number, plan)| {
        let group = &model.groups[plan.group as usize];
        let settings = demand.settings[plan.group as usize];
        Member::new(number, (plan.group, &group.name), setup.client, settings, group.role == Role::Seed)
    });
    let (to, messages) = mpsc::channel();
    let mut swarm = Swarm {
        setup,
        agenda: Agenda::of(&model, &plans),
        model: &model,
        plans: &plans,
        members: members.collect(),
        stage,
        to,
        messages,
        start: Instant::now(),
        timeline: Vec::new(),
    };
    let before = Load::now();
    let (end, ended) = swarm.go(watch)?;
    let cpu_busy = Load::now().since(before);
    let outcome = swarm.finish(end, ended);
    let mut notes = demand.notes;
    if cpu_busy.is_some_and(|busy| busy.millionths() > TOO_BUSY) {
        notes.push(
            "the processors were busy nearly all the time: peers may have waited for them, not for links"
                .to_owned(),
        );
    }
    if end_by_bound(&outcome, &model) {
        notes.push("the run was ended after two hours, the longest a testbed takes".to_owned());
    }
    drop(swarm);
    let measured = Measured {
        client: programs::version(setup.client),
        tracker: format!("swarmlab {}", env!("CARGO_PKG_VERSION")),
        kernel: programs::kernel(),
        cpu_busy,
        notes,
    };
    Ok(Taken { outcome, measured, wall: begun.elapsed(), model })
}

fn end_by_bound(outcome: &Outcome, model: &Model) -> bool {
    outcome.end == End::MaxTime && outcome.simulated < model.run.max_time
}

/// A run under way.
struct Swarm<'a> {
    setup: &'a Setup<'a>,
    model: &'a Model,
    plans: &'a [NodePlan],
    agenda: Agenda,
    // Given up before the stage they stand on.
    members: Vec<Member>,
    stage: Stage,
    to: Sender<Message>,
    messages: Receiver<Message>,
    start: Instant,
    timeline: Vec<Sample>,
}

impl Swarm<'_> {
    /// To the end of the run: why it ended, and when.
    fn go(&mut self, watch: &mut dyn FnMut(&Progress) -> bool) -> Result<(End, Duration), TestbedError> {
        if !self.prepare(watch)? {
            return Ok((End::Interrupted, Duration::ZERO));
        }
        self.start = Instant::now();
        let longest = self.model.run.max_time.min(LONGEST);
        loop {
            let now = self.start.elapsed();
            while let Some((at, event)) = self.agenda.due(now.min(longest)) {
                self.act(at, event)?;
            }
            if let Some(end) = self.ending(now, longest) {
                return Ok(end);
            }
            if !watch(&self.progress(now)) {
                return Ok((End::Interrupted, now));
            }
            self.listen(self.agenda.next().map_or(LOOK, |next| next.saturating_sub(now).min(LOOK)));
            self.look_after()?;
        }
    }

    /// Starts what waits, and waits until all of it is ready. False if the user wants to stop.
    fn prepare(&mut self, watch: &mut dyn FnMut(&Progress) -> bool) -> Result<bool, TestbedError> {
        if !self.setup.client.waits() {
            return Ok(true);
        }
        for member in &mut self.members {
            if self.plans[member.number()].join.is_some() {
                member.start(&self.stage, self.setup.program, &self.to)?;
            }
        }
        let begun = Instant::now();
        while let Some(member) = self.members.iter_mut().find(|member| member.is_started() && !member.ready) {
            if begun.elapsed() > READY {
                return Err(member.late().expect("it is started"));
            }
            if !watch(&self.progress(Duration::ZERO)) {
                return Ok(false);
            }
            self.listen(LOOK);
            self.look_after()?;
        }
        Ok(true)
    }

    /// Does what is due.
    fn act(&mut self, at: Duration, event: Event) -> Result<(), TestbedError> {
        let now = self.start.elapsed();
        match event {
            Event::Tracker { up } => self.stage.tracker_up(up),
            Event::Come(peer) => self.come(peer, now)?,
            Event::Go(peer) => self.leave(peer, now),
            Event::GiveUp(peer) if self.members[peer].record.complete.is_none() => self.leave(peer, now),
            Event::GiveUp(_) => {}
            Event::Crash(peer, returns) => {
                let member = &mut self.members[peer];
                if member.record.leave.is_none() {
                    member.crash();
                    member.record.dies(now);
                    member.record.leave = (!returns).then_some(now);
                }
            }
            Event::Sample => {
                let announces = self.stage.announces();
                self.timeline.push(outcome::sample(self.model, &self.records(), at, announces));
                self.agenda.add(at + self.model.run.sample, Event::Sample);
            }
        }
        Ok(())
    }

    /// A peer comes, or comes again.
    fn come(&mut self, peer: usize, now: Duration) -> Result<(), TestbedError> {
        let member = &mut self.members[peer];
        if member.record.leave.is_some() {
            return Ok(());
        }
        if !member.is_started() {
            member.start(&self.stage, self.setup.program, &self.to)?;
        }
        member.call();
        if member.record.join.is_none() {
            member.record.join = Some(now);
            if member.is_seed() {
                member.record.complete = Some(now);
            }
        }
        member.record.returns(now);
        Ok(())
    }

    /// A peer goes for good.
    fn leave(&mut self, peer: usize, now: Duration) {
        let member = &mut self.members[peer];
        if member.record.leave.is_none() {
            member.record.leave = Some(now);
            member.ask_to_leave();
        }
    }

    /// Takes what the clients say, for so long.
    fn listen(&mut self, pause: Duration) {
        let until = Instant::now() + pause;
        loop {
            match self.messages.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(message) => self.hear(message),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn hear(&mut self, (peer, life, seen): Message) {
        let member = &mut self.members[peer];
        if !member.is_of(life) {
            return;
        }
        let (counts, complete) = match seen {
            Seen::Ready => return member.is_ready(),
            Seen::Report { counts, complete } => (counts, complete),
        };
        member.record.counts = counts;
        let under_way = member.record.complete.is_none() && member.record.leave.is_none();
        if let Some(complete) = complete.filter(|_| under_way) {
            let at = complete.saturating_duration_since(self.start);
            member.record.complete = Some(at);
            let plan = &self.plans[peer];
            plan.stay.into_iter().for_each(|stay| self.agenda.add(at + stay, Event::Go(peer)));
        }
        let record = &member.record;
        if let Leave::AtRatio(ratio) = self.model.groups[record.group as usize].leave {
            let enough = ratio * self.model.content.layout.length() as f64;
            if record.complete.is_some() && record.uploaded() as f64 >= enough {
                self.leave(peer, self.start.elapsed());
            }
        }
    }

    /// Notices programs that have ended: those that were asked to are put away, others are an error.
    fn look_after(&mut self) -> Result<(), TestbedError> {
        for member in &mut self.members {
            if member.record.leave.is_some() {
                member.is_gone();
            } else if let Some(error) = member.lost() {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether the run is over: why, and since when.
    fn ending(&self, now: Duration, longest: Duration) -> Option<(End, Duration)> {
        if self.model.run.stop == Stop::LeechersDone {
            let awaited = self.members.iter().zip(self.plans).filter(|(member, _)| !member.is_seed());
            let over = |(member, plan): (&Member, &NodePlan)| match (plan.join, &member.record) {
                (None, _) => Some(Duration::ZERO),
                (Some(_), record) => record.complete.or(record.leave),
            };
            if let Some(last) = awaited.map(over).try_fold(Duration::ZERO, |last, over| Some(last.max(over?)))
            {
                return Some((End::LeechersDone, last));
            }
        }
        (now >= longest).then_some((End::MaxTime, longest))
    }

    fn progress(&self, at: Duration) -> Progress {
        let records = || self.members.iter().map(|member| &member.record);
        let leechers = || self.members.iter().filter(|member| !member.is_seed());
        Progress {
            at,
            joined: records().filter(|record| record.join.is_some()).count(),
            completed: leechers().filter(|member| member.record.complete.is_some()).count(),
            leechers: leechers().count(),
            received: leechers().map(|member| member.record.counts.downloaded).sum(),
        }
    }

    fn records(&self) -> Vec<Record> {
        self.members.iter().map(|member| member.record.clone()).collect()
    }

    /// Ends all programs, and makes numbers of what was seen.
    fn finish(&mut self, end: End, ended: Duration) -> Outcome {
        let (carried, announces) = (self.stage.ground.carried(), self.stage.announces());
        if self.setup.client.is_asked() {
            // The answers to a last question: in the last moments before the end much is moved.
            self.listen(2 * ASK);
        }
        self.members.iter_mut().for_each(Member::ask_to_leave);
        // What they say at their end still counts.
        // Each that is late is given its time and then killed.
        while !self.members.iter_mut().all(Member::is_gone) {
            self.listen(LOOK);
        }
        self.listen(Duration::ZERO);
        let records = self.records();
        self.timeline.retain(|sample| sample.at <= ended);
        let last = outcome::sample(self.model, &records, ended, announces);
        self.timeline.push(last);
        let timeline = std::mem::take(&mut self.timeline);
        outcome::of(self.model, &records, &carried, timeline, (end, ended), announces)
    }
}
