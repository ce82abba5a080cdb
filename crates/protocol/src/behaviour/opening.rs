//! The first message of a link, which says what we have: how to say something else.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::{Bitfield, ConnId, Input, Message, Output};

/// The link that an input opens, and whether both ends speak the fast extension on it.
pub(super) fn opened(input: &Input, we_speak_fast: bool) -> Option<(ConnId, bool)> {
    match input {
        Input::Opened { conn, peer } => Some((*conn, we_speak_fast && peer.reserved.fast())),
        _ => None,
    }
}

/// The message that says, at the opening of a link, that we have these pieces; none where silence says it.
pub(super) fn having(have: Bitfield, fast: bool) -> Option<Message> {
    match fast {
        true if have.is_full() => Some(Message::HaveAll),
        true if have.is_empty() => Some(Message::HaveNone),
        false if have.is_empty() => None,
        _ => Some(Message::Bitfield(Arc::new(have))),
    }
}

/// Of the outputs from `from` on, in which a link was opened: puts `message` in the place of what was to be said. False
/// if the link was not let in.
pub(super) fn say(out: &mut Vec<Output>, from: usize, conn: ConnId, message: Option<Message>) -> bool {
    let closes = |output: &Output| matches!(output, Output::Close { conn: other, .. } if *other == conn);
    if out[from..].iter().any(closes) {
        return false;
    }
    let says = |output: &Output| match output {
        Output::Send { conn: other, message } => {
            *other == conn && matches!(message, Message::Bitfield(_) | Message::HaveAll | Message::HaveNone)
        }
        _ => false,
    };
    let said = out[from..].iter().position(says).map(|at| from + at);
    match (said, message.map(|message| Output::Send { conn, message })) {
        (Some(at), Some(output)) => out[at] = output,
        (Some(at), None) => _ = out.remove(at),
        (None, Some(output)) => out.push(output),
        (None, None) => {}
    }
    true
}
