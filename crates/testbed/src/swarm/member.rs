//! A peer of the swarm: its process, which may die and come again, and what is known of it.

use std::fs;
use std::io::Write as _;
use std::process::ChildStdin;
use std::sync::mpsc::Sender;

use super::stage::Stage;
use crate::client::{Client, Part, Settings};
use crate::error::TestbedError;
use crate::ground::Ground;
use crate::layout::address;
use crate::observe::{self, Message, Reins, Teller};
use crate::outcome::Record;
use crate::process::Process;

/// A peer.
pub(super) struct Member {
    number: usize,
    /// As messages name it: its group and its number in all.
    name: String,
    client: Client,
    settings: Settings,
    seed: bool,
    /// Which of its processes is the present one.
    life: u32,
    process: Option<Process>,
    hold: Hold,
    /// It can be told to begin.
    pub(super) ready: bool,
    /// It is to begin as soon as it is ready.
    called: bool,
    pub(super) record: Record,
}

/// How a client is told to begin.
enum Hold {
    /// It began when it was started.
    None,
    /// By a line on its standard input.
    Line(Option<ChildStdin>),
    /// By whoever asks it.
    Reins(Reins),
}

impl Member {
    pub(super) fn new(
        number: usize,
        group: (u32, &str),
        client: Client,
        settings: Settings,
        seed: bool,
    ) -> Member {
        Member {
            number,
            name: format!("peer {number} of {}", group.1),
            client,
            settings,
            seed,
            life: 0,
            process: None,
            hold: Hold::None,
            ready: false,
            called: false,
            record: Record { group: group.0, ..Record::default() },
        }
    }

    /// Its number in the swarm.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Whether it has everything from its start.
    pub(super) fn is_seed(&self) -> bool {
        self.seed
    }

    /// Which of its processes messages are of.
    pub(super) fn is_of(&self, life: u32) -> bool {
        self.process.is_some() && self.life == life
    }

    /// Starts its process. One that waits does so until [`Member::begin`].
    pub(super) fn start(
        &mut self,
        stage: &Stage,
        program: &std::path::Path,
        to: &Sender<Message>,
    ) -> Result<(), TestbedError> {
        let failed = |error| TestbedError::Start(format!("{} as {}", self.client.name(), self.name), error);
        let folder = if self.seed {
            stage.seeds.clone()
        } else {
            stage.scratch.path().join(format!("{}", self.number))
        };
        let state = stage.scratch.path().join(format!("{}.state", self.number));
        fs::create_dir_all(&folder).and_then(|()| fs::create_dir_all(&state)).map_err(failed)?;
        let part = Part {
            seed: self.seed,
            torrent: &stage.torrent,
            folder: &folder,
            content: &stage.content,
            state: &state,
            address: address(self.number),
            settings: self.settings,
            program,
        };
        let (program, arguments) = self.client.command(&part).map_err(failed)?;
        let mut command = stage.ground.at_peer(self.number, program);
        command.args(arguments).env("HOME", &state);
        let is_read = !self.client.is_asked();
        let mut process = Process::start(&self.name, command, stage.scratch.path(), is_read)?;
        self.life += 1;
        let teller = Teller { peer: self.number, life: self.life, to: to.clone() };
        self.hold = match (self.client.remote(&stage.torrent, &folder, self.seed), process.output()) {
            (Some(remote), _) => {
                Hold::Reins(observe::ask(remote, Ground::namespace_of(process.id()), teller))
            }
            (None, Some(output)) => {
                observe::lines(output, teller);
                Hold::Line(process.input())
            }
            (None, None) => Hold::None,
        };
        self.ready = false;
        self.called = false;
        self.process = Some(process);
        Ok(())
    }

    /// Whether it has a process.
    pub(super) fn is_started(&self) -> bool {
        self.process.is_some()
    }

    /// It is to begin: now, or as soon as it is ready.
    pub(super) fn call(&mut self) {
        self.called = true;
        if self.ready {
            self.begin();
        }
    }

    /// It can be told to begin.
    pub(super) fn is_ready(&mut self) {
        self.ready = true;
        if self.called {
            self.begin();
        }
    }

    fn begin(&mut self) {
        match &mut self.hold {
            Hold::None => {}
            Hold::Line(input) => {
                // One that does not read goes on by itself.
                input.take().into_iter().for_each(|mut input| _ = input.write_all(b"go\n"));
            }
            Hold::Reins(reins) => reins.begin(),
        }
    }

    /// Kills its process.
    pub(super) fn crash(&mut self) {
        self.hold = Hold::None;
        self.process.take().into_iter().for_each(|mut process| process.kill());
    }

    /// Asks its process to leave; what it says until then still counts.
    pub(super) fn ask_to_leave(&mut self) {
        self.process.iter_mut().for_each(Process::ask_to_leave);
    }

    /// Whether its process is gone, if it was asked to leave; gives it up then.
    pub(super) fn is_gone(&mut self) -> bool {
        self.process.as_mut().is_none_or(Process::is_gone)
    }

    /// The error of a process that has ended by itself.
    pub(super) fn lost(&mut self) -> Option<TestbedError> {
        let process = self.process.as_mut()?;
        let status = process.ended()?;
        Some(process.lost(format!("has ended: {status}")))
    }

    /// The error of a process that never got ready.
    pub(super) fn late(&mut self) -> Option<TestbedError> {
        Some(self.process.as_mut()?.lost("does not get ready"))
    }
}
