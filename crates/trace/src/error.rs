//! Why bytes are not a trace, with the place in them.

use std::io;

/// Why a trace cannot be read on. Offsets are bytes from its start.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes do not begin as a trace does.
    #[error("this is no trace: it does not begin with `swarmlab trace`")]
    Foreign,
    /// A version this program does not know.
    #[error("this is a trace of version {0}; this program reads version {version}", version = crate::VERSION)]
    Version(u16),
    /// It ends within a frame.
    #[error("the trace is cut short at byte {at}, within the frame that begins at byte {frame}")]
    Truncated {
        /// Where it ends.
        at: u64,
        /// Where the frame begins.
        frame: u64,
    },
    /// A frame is not what was written.
    #[error("the frame at byte {at} is damaged: its checksum is {found:08x} and should be {due:08x}")]
    Checksum {
        /// Where the frame begins.
        at: u64,
        /// The checksum it has.
        found: u32,
        /// The one its bytes make.
        due: u32,
    },
    /// A frame says it is longer than frames are.
    #[error("the frame at byte {at} would be {length} bytes long; at most {most} make sense", most = crate::MOST_BODY)]
    TooLong {
        /// Where the frame begins.
        at: u64,
        /// Its length.
        length: u32,
    },
    /// There is no header where it is due, or a second one.
    #[error("the frame at byte {at} is of kind {kind}; {due}")]
    Order {
        /// Where the frame begins.
        at: u64,
        /// Its kind.
        kind: u8,
        /// What should be there.
        due: &'static str,
    },
    /// The header cannot be read.
    #[error("the header at byte {at} cannot be read: {why}")]
    Header {
        /// Where its frame begins.
        at: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A field cannot be what it is.
    #[error("at byte {at} should be {due}")]
    Field {
        /// Where the field begins.
        at: u64,
        /// What it should be.
        due: &'static str,
    },
    /// It cannot be read at all.
    #[error("it cannot be read at byte {at}")]
    Io {
        /// How far it was read.
        at: u64,
        /// Why.
        source: io::Error,
    },
}
