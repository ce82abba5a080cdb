//! Frames: a kind, a length, a checksum, a body. And the sixteen bytes before the first.

use crate::crc::Crc;

/// The bytes a trace begins with, before the two of its version.
pub const MAGIC: [u8; 14] = *b"swarmlab trace";

/// The version of the format that is written and read here.
pub const VERSION: u16 = 1;

/// The longest body of a frame, in bytes.
pub const MOST_BODY: u32 = 64 << 20;

/// Bytes before the first frame: those of [`MAGIC`] and two of the version.
pub const OPENING: usize = 16;

/// Bytes of a frame before its body: its kind, the length of the body in four bytes, lowest first, and the checksum.
pub const HEAD: usize = 9;

/// Kinds of frames: the first byte of each.
pub mod kind {
    /// What run it is of.
    pub const HEADER: u8 = 1;
    /// Records.
    pub const EVENTS: u8 = 2;
    /// The state that all records before it make.
    pub const KEYFRAME: u8 = 3;
    /// The end of the run.
    pub const END: u8 = 4;
}

/// The bytes before the first frame.
pub(crate) fn opening() -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..14].copy_from_slice(&MAGIC);
    bytes[14..].copy_from_slice(&VERSION.to_le_bytes());
    bytes
}

/// Puts the head before a body, for which the first [`HEAD`] bytes of `frame` were left free.
///
/// # Panics
/// When the frame is shorter than its head: a mistake of the caller.
pub(crate) fn close(kind: u8, frame: &mut [u8]) {
    let (head, body) = frame.split_at_mut(HEAD);
    head[0] = kind;
    head[1..5].copy_from_slice(&(body.len() as u32).to_le_bytes());
    let sum = Crc::new().add(&head[..5]).add(body).sum();
    head[5..].copy_from_slice(&sum.to_le_bytes());
}

/// The checksum that a frame of this kind and length and body should have.
pub(crate) fn checksum(head: &[u8; HEAD], body: &[u8]) -> u32 {
    Crc::new().add(&head[..5]).add(body).sum()
}
