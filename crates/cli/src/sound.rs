//! Whether a trace is sound: what keeps it from being shown at all, and what is wrong with it further on.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use swarmlab_trace::{Item, ReadError, Reader};

use crate::error::Error;

/// Reads a trace to its end. An error says that nothing can be shown; a text, what is wrong behind what can.
pub(crate) fn flaw(trace: impl Read, stop: &AtomicBool) -> Result<Option<String>, ReadError> {
    let mut reader = Reader::new(trace)?;
    let mut ended = false;
    while !stop.load(Ordering::Acquire) {
        match reader.next_item() {
            Ok(Some(item)) => ended = matches!(item, Item::End(_)),
            Ok(None) if ended => return Ok(None),
            Ok(None) => {
                return Ok(Some("it has no end: it was cut short, or is still being written".to_owned()));
            }
            Err(error) => return Ok(Some(error.to_string())),
        }
    }
    Ok(None)
}

/// The error of a file that cannot be shown at all (exit status 2, or 1 if it cannot be read).
pub(crate) fn unreadable(typed: &str, error: ReadError) -> Error {
    match error {
        ReadError::Io { source, .. } => Error::failed(format!("cannot read {typed}")).because(source),
        error => Error::invalid(format!("{typed} cannot be shown")).because(error),
    }
}
