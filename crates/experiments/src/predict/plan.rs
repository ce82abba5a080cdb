//! Which runs answer a question, in the order of their worth. Who runs them decides how many there is time for: whatever has
//! been run makes an answer, and more makes a better one.

use std::time::Duration;

use swarmlab_sim::{Model, Outcome, Run};

use super::calibration::Calibration;
use super::coarse::Coarsening;
use super::record::Record;
use super::reduced::Reduced;
use super::settings::Setting;
use crate::bound;

/// Most repetitions of the run as it is, and of the reduced ones, and of each setting.
const MOST: [u64; 3] = [10, 8, 3];
/// First, so many repetitions of the run as it is, and of the reduced ones: fewer have no useful interval.
const FIRST: [u64; 2] = [3, 5];

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Job {
    /// The question as it is, with the seed of this number from 0.
    Base(u64),
    /// The shorter (0) or longer (1) reduced model with this seed, with fine blocks or coarse ones.
    Reduced(usize, bool, u64),
    /// With the setting of this number.
    Setting(usize, u64),
}

impl Job {
    /// Jobs of equal kind take about equally long.
    pub fn kind(self) -> (u8, usize) {
        match self {
            Job::Base(_) => (0, 0),
            Job::Reduced(which, fine, _) => (1, 2 * which + usize::from(fine)),
            Job::Setting(number, _) => (2, number),
        }
    }

    /// Without these there is no answer at all, however long they take.
    pub fn is_needed(self) -> bool {
        matches!(self, Job::Base(0 | 1) | Job::Reduced(_, _, 0))
    }
}

/// A question, and how it is simulated.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is called.
    pub name: String,
    /// The swarm with blocks as they are, on links as calibrated.
    pub model: Model,
    /// How much coarser it is simulated.
    pub coarsening: Coarsening,
    /// What else is tried.
    pub settings: Vec<Setting>,
    /// How a real swarm was found to differ from a simulated one.
    pub calibration: Option<Calibration>,
    reduced: Option<[Reduced; 2]>,
}

impl Plan {
    /// How to answer for a model. `coarsening` is chosen by the size of the model without it.
    pub fn new(
        name: &str,
        model: Model,
        calibration: Option<Calibration>,
        coarsening: Option<Coarsening>,
    ) -> Plan {
        let mut model = calibration.as_ref().map_or_else(|| model.clone(), |known| known.apply(&model));
        model.run = Run { sample: sample(&model), threads: 1, check: false, timeline: false, ..model.run };
        let coarsening = coarsening.unwrap_or_else(|| Coarsening::of(&model));
        let settings = Setting::worth_trying(&model, coarsening);
        let reduced = (!coarsening.is_none()).then(|| Reduced::pair(&model, coarsening.merged()));
        Plan { name: name.to_owned(), model, coarsening, settings, calibration, reduced }
    }

    /// All runs worth making, the most important first. `runs` limits the repetitions of the run as it is, and tries no setting
    /// and no reduced model more often than that.
    pub fn jobs(&self, runs: Option<u64>) -> Vec<Job> {
        let [base, reduced, settings] = MOST.map(|most| runs.map_or(most, |runs| runs.min(most)));
        let base = runs.unwrap_or(base);
        let reduced = if self.reduced.is_some() { reduced } else { 0 };
        let pairs = |seed| {
            [0, 1]
                .into_iter()
                .flat_map(move |which| [true, false].map(|fine| Job::Reduced(which, fine, seed)))
        };
        let try_all = |seed| (0..self.settings.len()).map(move |number| Job::Setting(number, seed));
        let mut jobs: Vec<Job> = (0..base.min(FIRST[0])).map(Job::Base).collect();
        jobs.extend((0..reduced.min(FIRST[1])).flat_map(pairs));
        let (mut more_base, mut more_reduced) = (FIRST[0]..base, FIRST[1]..reduced);
        for seed in 0..settings {
            jobs.extend(try_all(seed));
            jobs.extend(more_base.by_ref().take(2).map(Job::Base));
            jobs.extend(more_reduced.by_ref().take(1).flat_map(pairs));
        }
        jobs.extend(more_base.map(Job::Base));
        jobs
    }

    /// The longer reduced model, and its pieces; `None` if blocks are not coarser than they are.
    pub fn reduced(&self) -> Option<&[Reduced; 2]> {
        self.reduced.as_ref()
    }

    /// What a job simulates.
    pub fn model(&self, job: Job) -> Model {
        let (fine, coarsening) = self.fine(job);
        coarsening.apply(&fine)
    }

    /// What is kept of it.
    pub fn record(&self, job: Job, outcome: &Outcome) -> Record {
        let (fine, coarsening) = self.fine(job);
        Record::of(&fine, coarsening.divisor(), outcome)
    }

    fn fine(&self, job: Job) -> (Model, Coarsening) {
        let (mut model, coarsening, seed) = match (job, &self.reduced) {
            (Job::Base(seed), _) => (self.model.clone(), self.coarsening, seed),
            (Job::Setting(number, seed), _) => {
                let setting = self.settings.get(number);
                let model = setting.map_or_else(|| self.model.clone(), |setting| setting.apply(&self.model));
                (model, self.coarsening, seed)
            }
            (Job::Reduced(which, fine, seed), Some(reduced)) => {
                let coarsening = if fine { Coarsening::NONE } else { self.coarsening };
                (reduced[which.min(1)].fine.clone(), coarsening, seed)
            }
            (Job::Reduced(_, _, seed), None) => (self.model.clone(), Coarsening::NONE, seed),
        };
        model.seed = model.seed.wrapping_add(seed);
        (model, coarsening)
    }
}

/// Time between two looks at a run: some fifty until it can be over at all, a power of two of seconds, so that windows of
/// a usual latency divide it.
fn sample(model: &Model) -> Duration {
    let length = model.content.layout.length();
    let nodes: Vec<bound::Node> = model
        .groups
        .iter()
        .map(|group| {
            let seed = group.role == swarmlab_sim::Role::Seed;
            bound::Node {
                join: 0,
                lacks: if seed { 0 } else { length },
                up: group.up.saturating_mul(group.count.into()),
                down: group.down,
                awaited: !seed,
            }
        })
        .collect();
    let least = bound::lower_bound(&nodes, length, model.network.framing);
    let seconds = least.map_or(1, |bound| bound.time.as_secs() / 50).clamp(1, 1 << 16);
    Duration::from_secs(1 << seconds.ilog2())
}
