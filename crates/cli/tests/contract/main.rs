//! What scripts rely on, tried on the real program: exit statuses, what goes to which stream, the fields of the JSON
//! documents, what is never overwritten, and how a running program stops.
#![cfg(unix)]

mod formats;
mod program;
