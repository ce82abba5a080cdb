//! How keys of a scenario are defined: name, kind of value, default, meaning. One definition serves the reader, the
//! list of suggestions, the JSON Schema and the writer, so that they cannot disagree. The definitions are in
//! [`super::keys`] and [`super::client`].

use std::time::Duration;

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// Whether it must be there.
    pub need: Need,
    /// What it means, in one sentence for people; units and source included.
    pub about: &'static str,
}

/// Whether a key must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Yes.
    Required,
    /// No, and without it there is no value; the meaning says what then holds.
    Optional,
    /// No; this is its value then, as the text within the quotes.
    Default(&'static str),
}

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Any text of one line up to 1,000 bytes.
    Text,
    /// A name: letters, digits, `-` and `_`, up to 40.
    Name,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count { least: u64, most: u64 },
    /// Bytes.
    Size { least: u64, most: u64 },
    /// A power of two in bytes, or `"auto"`.
    PieceLength,
    /// Bytes per second.
    Rate { least: u64, most: u64 },
    /// A time.
    Time { least: Duration, most: Duration },
    /// A time, or `"never"`, which is [`NEVER`].
    TimeOrNever,
    /// Events per time.
    Frequency,
    /// A number from 0 to 1.
    Share,
    /// A number from 0 to 1,000.
    Ratio,
    /// One of these words.
    Choice(&'static [Word]),
    /// The name of a preset.
    Preset,
    /// A table whose key `kind` says which further keys it has. One that needs none may be written as its name.
    Variants(&'static [Variant]),
    /// A table.
    Table(&'static [Key]),
    /// The keys of a client's behaviour, each optional.
    Client,
    /// A table for each `[[name]]`.
    Tables { keys: &'static [Key], most: usize },
    /// A table for each `[[name]]`, whose key `kind` says which keys it has beside the common ones.
    VariantTables { common: &'static [Key], variants: &'static [Variant], most: usize },
    /// A list of two names.
    Pair,
    /// A latency: a time, `{ uniform = [from, to] }` or `{ regions = [..], table = [[..]] }`.
    Latency,
    /// Paths into `sim/1` with what is expected of them.
    Expectations,
}

/// A word of a choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    /// As it is written.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// One of several shapes of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    /// The value of `kind`.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Its further keys.
    pub keys: &'static [Key],
}

impl Variant {
    /// Whether its name says all.
    pub(crate) fn stands_alone(&self) -> bool {
        self.keys.iter().all(|key| key.need != Need::Required)
    }
}

/// A key without which the table means nothing.
pub(crate) const fn required(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, need: Need::Required, about }
}

/// A key that may be left out.
pub(crate) const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, need: Need::Optional, about }
}

/// A key that has this value when left out.
pub(crate) const fn default(name: &'static str, kind: Kind, value: &'static str, about: &'static str) -> Key {
    Key { name, kind, need: Need::Default(value), about }
}

/// A word of a choice.
pub(crate) const fn word(name: &'static str, about: &'static str) -> Word {
    Word { name, about }
}

/// A shape of a table.
pub(crate) const fn variant(name: &'static str, about: &'static str, keys: &'static [Key]) -> Variant {
    Variant { name, about, keys }
}

/// Any time up to ten years, the longest a run may simulate.
pub(crate) const ANY_TIME: Kind = Kind::Time { least: Duration::ZERO, most: TEN_YEARS };
/// The time of what never happens.
pub(crate) const NEVER: Duration = Duration::MAX;
/// A time that passes.
pub(crate) const SOME_TIME: Kind = Kind::Time { least: Duration::from_millis(1), most: TEN_YEARS };
/// A latency: threads swap messages in windows as wide as the least one, and below 100 us such a window holds too
/// little.
pub(crate) const LATENCY_TIME: Kind = Kind::Time { least: LEAST_LATENCY, most: Duration::from_secs(60) };
/// The least latency between two nodes.
pub(crate) const LEAST_LATENCY: Duration = Duration::from_micros(100);
const TEN_YEARS: Duration = Duration::from_secs(3_650 * 86_400);
