//! The liar: says that it has pieces it lacks. Requests for them are refused by its engine, or, without the fast
//! extension, never answered.

use alloc::vec::Vec;

use super::{STREAM, opening};
use crate::{Bitfield, Input, Instant, Message, Output, Random, Setup, Torrent};

#[derive(Debug)]
pub(super) struct Liar {
    /// The pieces it claims from the start without having them: half of what it lacks. Not all, or seeds would take it
    /// for one of theirs and part with it.
    lies: Bitfield,
    fast: bool,
}

impl Liar {
    pub(super) fn new(setup: &Setup) -> Self {
        let mut random = Random::stream(setup.seed, STREAM);
        let mut lacking: Vec<_> =
            setup.layout.pieces().filter(|&piece| !setup.have.contains(piece)).collect();
        random.shuffle(&mut lacking);
        let mut lies = Bitfield::empty(setup.have.len());
        lacking.iter().take(lacking.len() / 2).for_each(|&piece| _ = lies.insert(piece));
        Liar { lies, fast: setup.config.fast_extension }
    }

    pub(super) fn handle(
        &mut self,
        torrent: &mut Torrent,
        now: Instant,
        input: Input,
        out: &mut Vec<Output>,
    ) {
        let (opened, from) = (opening::opened(&input, self.fast), out.len());
        torrent.handle(now, input, out);
        if let Some((conn, fast)) = opened {
            let mut claims = torrent.have().clone();
            self.lies.iter().for_each(|piece| _ = claims.insert(piece));
            opening::say(out, from, conn, opening::having(claims, fast));
        }
        // What has been claimed is not said again once it is true.
        let known = |output: &Output| match output {
            Output::Send { message: Message::Have(piece), .. } => self.lies.contains(*piece),
            _ => false,
        };
        if out[from..].iter().any(known) {
            let mut at = 0;
            out.retain(|output| {
                at += 1;
                at <= from || !known(output)
            });
        }
    }
}
