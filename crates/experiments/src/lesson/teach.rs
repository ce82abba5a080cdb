//! Makes the run of a lesson and fills in what it gives: the trace to be watched, and the texts with moments and numbers in them.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde_json::{Value as Json, json};
use swarmlab_protocol::Handshake;
use swarmlab_sim::{Levels, ModelError, Recording, run, run_recorded};
use swarmlab_trace::{Entry, Header, ReadError, Record, Writer};

use super::answer::{AnswerError, Numbers};
use super::moment::{self, Moment, NoTime, Query};
use super::{Lesson, picture};
use crate::numbers::micros;
use crate::recorded;
use crate::results::{Results, RunInfo};
use crate::scenario::{ContentError, Diagnostics, Options, Scenario};

/// A lesson after its run.
#[derive(Clone, Debug)]
pub struct Taught {
    /// The trace of the run.
    pub trace: Vec<u8>,
    /// The lesson as the page takes it.
    pub page: Json,
}

/// Why a lesson cannot be given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TeachError {
    /// Its scenario is not sound.
    #[error("the scenario of the lesson is not valid:\n{0}")]
    Scenario(Diagnostics),
    /// Its content cannot be.
    #[error("the content of the lesson cannot be made")]
    Content(#[from] ContentError),
    /// Its model is out of bounds.
    #[error("the lesson cannot be simulated")]
    Model(#[from] ModelError),
    /// Its trace cannot be read back.
    #[error("the trace of the lesson cannot be read")]
    Trace(#[from] ReadError),
    /// Its trace cannot be written.
    #[error("the trace of the lesson cannot be written")]
    Write(#[from] io::Error),
    /// A text has a hole.
    #[error("a text of the lesson cannot be filled in")]
    Answer(#[from] AnswerError),
    /// A moment does not come, or cannot.
    #[error("look {number}: {why}")]
    Moment {
        /// Which look, from 1.
        number: usize,
        /// Why not.
        why: String,
    },
    /// A picture has no bytes.
    #[error("picture {number}: {why}")]
    Picture {
        /// Which, from 1.
        number: usize,
        /// Why not.
        why: String,
    },
}

impl Lesson {
    /// Runs everything and fills everything in.
    ///
    /// # Errors
    /// When anything in the lesson does not fit its run. Those that come with the program do.
    pub fn teach(&self) -> Result<Taught, TeachError> {
        let (scenario, text) = self.scenario(&[]).map_err(TeachError::Scenario)?;
        let recorded = record(&scenario, text)?;
        let mut numbers = Numbers { run: recorded.result, ..Numbers::default() };
        for (name, sets) in self.others() {
            let (scenario, text) = self.scenario(sets).map_err(TeachError::Scenario)?;
            numbers.others.insert(name.to_owned(), result(&scenario, text)?);
        }
        let queries: Vec<Option<Query>> = self.picture.iter().map(picture::query).collect();
        let asked: Vec<&Query> =
            self.look.iter().map(|look| &look.at).chain(queries.iter().flatten()).collect();
        let found = moment::find(&recorded.trace[..], &asked)?
            .map_err(|NoTime(why)| TeachError::Moment { number: 0, why })?;
        let (looks, pictured) = found.split_at(self.look.len());
        let page = json!({
            "name": self.name,
            "title": self.title,
            "question": numbers.fill(&self.question)?,
            "look": self.looks(looks, &numbers)?,
            "answer": numbers.fill(&self.answer)?,
            "next": self.next,
            "pictures": self.pictures(&queries, pictured, &recorded.header, &recorded.peers, &scenario)?,
        });
        Ok(Taught { trace: recorded.trace, page })
    }

    fn looks(&self, moments: &[Option<Moment>], numbers: &Numbers) -> Result<Vec<Json>, TeachError> {
        let looks = self.look.iter().zip(moments).enumerate();
        let looks = looks.map(|(at, (look, moment))| {
            let why = || "what it asks for does not happen in the run".to_owned();
            let moment = moment.as_ref().ok_or_else(|| TeachError::Moment { number: at + 1, why: why() })?;
            let numbers = Numbers { words: moment.words.clone(), ..numbers.clone() };
            let select = look.select.as_deref().map(|select| numbers.fill(select)).transpose()?;
            Ok(json!({
                "text": numbers.fill(&look.text)?, "at_us": moment.at, "view": look.view, "select": select,
            }))
        });
        looks.collect()
    }

    fn pictures(
        &self,
        queries: &[Option<Query>],
        moments: &[Option<Moment>],
        header: &Header,
        peers: &BTreeMap<u32, Handshake>,
        scenario: &Scenario,
    ) -> Result<Vec<Json>, TeachError> {
        let mut moments = moments.iter();
        let pictures = self.picture.iter().zip(queries).enumerate();
        let pictures = pictures.map(|(at, (one, query))| {
            let moment = query.as_ref().and_then(|_| moments.next()?.as_ref());
            let drawn = picture::draw(one, moment, header, |node| peers.get(&node).copied(), scenario);
            drawn.map_err(|why| TeachError::Picture { number: at + 1, why })
        });
        pictures.collect()
    }
}

/// A run that was recorded.
struct Recorded {
    trace: Vec<u8>,
    header: Header,
    /// What each node says when it opens a link.
    peers: BTreeMap<u32, Handshake>,
    /// `sim/1`.
    result: Json,
}

fn record(scenario: &Scenario, text: &str) -> Result<Recorded, TeachError> {
    let model = scenario.model(&Options::default())?;
    // A lesson has few peers, and all that they say can be looked at.
    let levels = Levels::choose(&model, Some(u32::MAX));
    let header = recorded::header(&scenario.name, &model, &levels, Some((scenario, text)));
    let mut writer = Writer::new(Vec::new(), &header)?;
    let mut peers = BTreeMap::new();
    let info_hash = picture::info_hash(&header);
    let mut failure = None;
    let sink = &mut |_: Duration, entries: &[Entry]| {
        for entry in entries {
            if let (Record::Join(join), Some(info_hash)) = (&entry.record, info_hash) {
                let handshake = Handshake { reserved: join.reserved, info_hash, peer_id: join.peer_id };
                peers.insert(join.node, handshake);
            }
            failure = failure.take().or(writer.push(entry.at, &entry.record).err());
        }
    };
    let recording = Recording { levels, every: model.run.sample, sink };
    let outcome = run_recorded(model.clone(), Some(recording), &mut |_| true)?;
    if let Some(failure) = failure {
        return Err(failure.into());
    }
    let trace = writer.finish(micros(outcome.simulated), true)?;
    let result = Results::new(&model, &outcome, info(scenario, text)).value();
    Ok(Recorded { trace, header, peers, result })
}

/// The result of a run that nobody watches.
fn result(scenario: &Scenario, text: &str) -> Result<Json, TeachError> {
    let model = scenario.model(&Options::default())?;
    let outcome = run(model.clone(), &mut |_| true)?;
    Ok(Results::new(&model, &outcome, info(scenario, text)).value())
}

fn info(scenario: &Scenario, text: &str) -> RunInfo {
    RunInfo {
        scenario_name: scenario.name.clone(),
        scenario_text: text.to_owned(),
        warmup: scenario.warmup,
        threads: 1,
        ..RunInfo::default()
    }
}
