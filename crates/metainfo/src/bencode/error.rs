//! What can be wrong with bencoded bytes, and where.

/// A fault in bencoded bytes: an error, or, where lenient reading forgave it, a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {reason}")]
pub struct Error {
    /// Offset of the first byte concerned, counted from 0.
    pub offset: usize,
    /// What is wrong there.
    pub reason: Reason,
}

/// The kinds of faults, each with its own variant so that callers can tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The input ends inside a value.
    #[error("the input ends inside a value")]
    UnexpectedEnd,
    /// A byte that starts no value, or is no digit where one is due.
    #[error("unexpected byte {0:#04x} ({shown:?})", shown = char::from(*.0))]
    UnexpectedByte(u8),
    /// An integer without a digit: `ie` or `i-e`.
    #[error("an integer without digits")]
    NoDigits,
    /// A number written with a leading zero: `i03e`, `03:abc`. Forgiven by lenient reading.
    #[error("a number with a leading zero")]
    LeadingZero,
    /// `i-0e`. Forgiven by lenient reading.
    #[error("negative zero")]
    NegativeZero,
    /// An integer that does not fit 64 bits with sign.
    #[error("an integer out of the range of 64 bits")]
    IntegerOverflow,
    /// A string that would reach past the end of the input.
    #[error("a string of {length} bytes where {left} bytes are left")]
    LengthPastEnd {
        /// Length the string claims, in bytes (`u64::MAX` for anything larger).
        length: u64,
        /// Bytes left after the colon.
        left: u64,
    },
    /// A dictionary key that is not a string.
    #[error("a dictionary key that is not a string")]
    KeyNotAString,
    /// A dictionary that ends after a key.
    #[error("a dictionary key without a value")]
    MissingValue,
    /// A key that sorts before the one in front of it. Forgiven by lenient reading.
    #[error("a dictionary key out of order")]
    UnsortedKey,
    /// The key in front again. Forgiven by lenient reading, where the first one counts.
    #[error("a dictionary key given twice")]
    DuplicateKey,
    /// Bytes after the end of the value. Forgiven by lenient reading.
    #[error("{0} bytes after the end of the value")]
    TrailingBytes(usize),
    /// Lists and dictionaries nested deeper than [`Limits::depth`](super::Limits::depth).
    #[error("nested deeper than {0} levels")]
    TooDeep(usize),
    /// More input than [`Limits::size`](super::Limits::size).
    #[error("the input is larger than {0} bytes")]
    TooLarge(usize),
    /// More values than [`Limits::items`](super::Limits::items).
    #[error("more than {0} values")]
    TooManyItems(usize),
}

impl Reason {
    /// Whether lenient reading goes on after this fault: its meaning is still clear.
    pub fn is_forgivable(self) -> bool {
        matches!(
            self,
            Reason::LeadingZero
                | Reason::NegativeZero
                | Reason::UnsortedKey
                | Reason::DuplicateKey
                | Reason::TrailingBytes(_)
        )
    }
}
