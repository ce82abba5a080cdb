//! Keeps the resume state of a download: saves it now and then off the task, takes it away when it is not needed.

use std::time::Duration;

use swarmlab_protocol::{Bitfield, Instant};
use tokio::task::JoinHandle;

use crate::disk::{DiskError, Resume};

/// Time between two saves. Making data safe costs disk time; a crash in between costs a check of everything.
const EVERY: Duration = Duration::from_secs(30);

/// The keeper of one endpoint. A seed has nothing to keep.
#[derive(Debug)]
pub(super) struct Keeper {
    resume: Option<Resume>,
    /// A save under way, on a thread of its own.
    saving: Option<JoinHandle<(Resume, Result<(), DiskError>)>>,
    /// Pieces in the last state saved.
    saved: u32,
    next: Instant,
}

impl Keeper {
    /// A keeper that begins with `saved` pieces in its state.
    pub(super) fn new(resume: Option<Resume>, saved: u32) -> Self {
        Keeper { resume, saving: None, saved, next: Instant::START + EVERY }
    }

    /// Saves the state if it is time and there is something new. A failure is told by the next call or at the end.
    pub(super) fn keep(&mut self, now: Instant, have: &Bitfield) {
        let changed = have.count() != self.saved && !have.is_full();
        if now < self.next || !changed {
            return;
        }
        if let Some(mut resume) = self.resume.take() {
            let have = have.clone();
            (self.saved, self.next) = (have.count(), now + EVERY);
            self.saving = Some(tokio::task::spawn_blocking(move || {
                let saved = resume.save(&have);
                (resume, saved)
            }));
        }
    }

    /// Takes notice of a save that is over.
    pub(super) async fn collect(&mut self) -> Result<(), DiskError> {
        match &self.saving {
            Some(saving) if saving.is_finished() => self.settle().await,
            _ => Ok(()),
        }
    }

    /// When there may be something to save.
    pub(super) fn due(&self) -> Option<Instant> {
        self.resume.is_some().then_some(self.next)
    }

    /// The last save; a complete download needs no state.
    pub(super) async fn finish(mut self, have: Bitfield) -> Result<(), DiskError> {
        let settled = self.settle().await;
        let Some(mut resume) = self.resume.take() else { return settled };
        let last = move || if have.is_full() { resume.remove() } else { resume.save(&have) };
        let last = tokio::task::spawn_blocking(last).await;
        settled.and(last.unwrap_or_else(|crash| std::panic::resume_unwind(crash.into_panic())))
    }

    async fn settle(&mut self) -> Result<(), DiskError> {
        let Some(saving) = self.saving.take() else { return Ok(()) };
        let (resume, saved) =
            saving.await.unwrap_or_else(|crash| std::panic::resume_unwind(crash.into_panic()));
        self.resume = Some(resume);
        saved
    }
}
