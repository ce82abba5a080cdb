//! Numbers with units, as people write them: sizes, rates, times and frequencies.
//!
//! A rate, a time or a frequency without a unit is an error that says so; a size may be plain bytes. Numbers may have decimals.
//! All arithmetic is on integers: the result is the exact value, or the nearest whole byte, byte per second or
//! nanosecond where the value has none. An unknown unit is answered with the nearest one that exists.

mod exact;
mod show;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use exact::{exact_frequency, exact_rate, exact_size, exact_time};
pub use show::{grouped, rate_of, show_duration, show_exact, show_number, show_rate, show_size};

/// Why a text is not a quantity. The message does not repeat the whole text: whoever prints it names the flag and
/// its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// There is no number at the start.
    #[error("a {what} starts with a number, such as '{example}'")]
    NoNumber {
        /// size, rate, time or frequency.
        what: &'static str,
        /// A valid one.
        example: &'static str,
    },
    /// The number stands alone where a unit is needed.
    #[error("a {what} needs a unit; did you mean '{number} {unit}'?")]
    NoUnit {
        /// rate, time or frequency.
        what: &'static str,
        /// The number given.
        number: String,
        /// A usual unit.
        unit: &'static str,
    },
    /// The unit is not known.
    #[error("unknown unit '{unit}'; did you mean '{nearest}'? Units of a {what}: {all}")]
    UnknownUnit {
        /// size, rate, time or frequency.
        what: &'static str,
        /// The unit given.
        unit: String,
        /// The nearest one that exists.
        nearest: &'static str,
        /// All that exist.
        all: String,
    },
    /// The value does not fit in 64 bits.
    #[error("too large: the largest {what} is {largest}")]
    TooLarge {
        /// size, rate, time or frequency.
        what: &'static str,
        /// The largest value.
        largest: &'static str,
    },
    /// The value is more than nothing, but rounds to nothing.
    #[error("too small: the smallest {what} is {smallest}")]
    TooSmall {
        /// size, rate, time or frequency.
        what: &'static str,
        /// The smallest value.
        smallest: &'static str,
    },
}

/// Parses a size in bytes: `16 KiB`, `1.5 GB`, `32768`.
///
/// # Errors
/// When the text is not a number with a unit of size, or the size does not fit in 64 bits.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    SIZE.parse(text)
}

/// Parses a rate in bytes per second: `10 MB/s`, `80 Mbit/s`.
///
/// # Errors
/// When the text is not a number with a unit of rate, or the rate does not fit in 64 bits.
pub fn parse_rate(text: &str) -> Result<u64, UnitError> {
    RATE.parse(text)
}

/// Parses a time: `30 ms`, `1.5 h`.
///
/// # Errors
/// When the text is not a number with a unit of time, or the time exceeds 584 years.
pub fn parse_time(text: &str) -> Result<Duration, UnitError> {
    TIME.parse(text).map(Duration::from_nanos)
}

/// Parses how often something happens, in billionths of an event per hour (so that every unit comes out whole):
/// `2 /s`, `0.001 /s`, `10 /min`, `3 /h`.
///
/// # Errors
/// When the text is not a number with a unit of frequency, or there are more than 5,124,095 events per second.
pub fn parse_frequency(text: &str) -> Result<u64, UnitError> {
    FREQUENCY.parse(text)
}

/// Parses a decimal number without a unit and without a sign, in billionths: `0.25`, `12`. `None` for anything else,
/// for more than nine decimals and beyond the range.
pub fn parse_billionths(text: &str) -> Option<u64> {
    let (digits, decimals) = decimal(text)?;
    let factor = 10u128.pow(9u32.checked_sub(decimals)?);
    u64::try_from(digits.checked_mul(factor)?).ok()
}

/// Regular expressions for a size, a rate, a time and a frequency with their units.
pub(crate) fn patterns() -> [String; 4] {
    [SIZE, RATE, TIME, FREQUENCY].map(|quantity| {
        let units: Vec<&str> = quantity.units.iter().map(|(name, _)| *name).collect();
        format!(r"^ *[0-9]+(\.[0-9]+)? *({}) *$", units.join("|"))
    })
}

/// A kind of quantity and the units it is written in.
struct Quantity {
    what: &'static str,
    example: &'static str,
    /// The unit of a bare number, where one is allowed.
    bare: Option<&'static str>,
    /// A unit to propose to somebody who gave none.
    usual: &'static str,
    /// Each unit with its value, in `1 / per` of the result's unit.
    units: &'static [(&'static str, u64)],
    per: u64,
    /// What people write otherwise, in lower case, and what they mean by it.
    otherwise: &'static [(&'static str, &'static str)],
    smallest: &'static str,
    largest: &'static str,
}

const SIZE: Quantity = Quantity {
    what: "size",
    example: "16 KiB",
    bare: Some("B"),
    usual: "KiB",
    units: &[
        ("B", 1),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
    ],
    per: 1,
    otherwise: &[
        ("k", "KiB"),
        ("m", "MiB"),
        ("g", "GiB"),
        ("t", "TiB"),
        ("ki", "KiB"),
        ("mi", "MiB"),
        ("gi", "GiB"),
        ("ti", "TiB"),
        ("byte", "B"),
        ("bytes", "B"),
    ],
    smallest: "1 B",
    largest: "18446744073709551615 B",
};

const RATE: Quantity = Quantity {
    what: "rate",
    example: "10 MB/s",
    bare: None,
    usual: "MB/s",
    units: &[
        ("bit/s", 1),
        ("kbit/s", 1_000),
        ("Mbit/s", 1_000_000),
        ("Gbit/s", 1_000_000_000),
        ("B/s", 8),
        ("kB/s", 8_000),
        ("MB/s", 8_000_000),
        ("GB/s", 8_000_000_000),
        ("KiB/s", 8 << 10),
        ("MiB/s", 8 << 20),
        ("GiB/s", 8 << 30),
    ],
    per: 8,
    otherwise: &[
        ("k", "kB/s"),
        ("m", "MB/s"),
        ("g", "GB/s"),
        ("bps", "bit/s"),
        ("kbps", "kbit/s"),
        ("mbps", "Mbit/s"),
        ("gbps", "Gbit/s"),
        ("kbit", "kbit/s"),
        ("mbit", "Mbit/s"),
        ("gbit", "Gbit/s"),
        ("b", "B/s"),
        ("kb", "kB/s"),
        ("mb", "MB/s"),
        ("gb", "GB/s"),
        ("kib", "KiB/s"),
        ("mib", "MiB/s"),
        ("gib", "GiB/s"),
    ],
    smallest: "1 B/s",
    largest: "18446744073709551615 B/s",
};

const TIME: Quantity = Quantity {
    what: "time",
    example: "30 s",
    bare: None,
    usual: "s",
    units: &[
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("min", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ],
    per: 1,
    otherwise: &[
        ("µs", "us"),
        ("sec", "s"),
        ("secs", "s"),
        ("second", "s"),
        ("seconds", "s"),
        ("m", "min"),
        ("mins", "min"),
        ("minute", "min"),
        ("minutes", "min"),
        ("hr", "h"),
        ("hrs", "h"),
        ("hour", "h"),
        ("hours", "h"),
        ("day", "d"),
        ("days", "d"),
        ("msec", "ms"),
        ("usec", "us"),
    ],
    smallest: "1 ns",
    largest: "213503 d",
};

const FREQUENCY: Quantity = Quantity {
    what: "frequency",
    example: "2 /s",
    bare: None,
    usual: "/s",
    units: &[("/s", 3_600_000_000_000), ("/min", 60_000_000_000), ("/h", 1_000_000_000)],
    per: 1,
    otherwise: &[
        ("per s", "/s"),
        ("per second", "/s"),
        ("hz", "/s"),
        ("s", "/s"),
        ("/sec", "/s"),
        ("/second", "/s"),
        ("/m", "/min"),
        ("per minute", "/min"),
        ("min", "/min"),
        ("/minute", "/min"),
        ("per hour", "/h"),
        ("h", "/h"),
        ("/hour", "/h"),
    ],
    smallest: "0.000000001 /h",
    largest: "5124095 /s",
};

impl Quantity {
    fn parse(&self, text: &str) -> Result<u64, UnitError> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = (&text[..end], text[end..].trim_start());
        let (digits, decimals) =
            decimal(number).ok_or(UnitError::NoNumber { what: self.what, example: self.example })?;
        let factor = self.factor(number, unit)?;
        self.value(digits, decimals, factor)
    }

    fn factor(&self, number: &str, unit: &str) -> Result<u64, UnitError> {
        let unit = match (unit, self.bare) {
            ("", Some(bare)) => bare,
            ("", None) => {
                let number = number.to_owned();
                return Err(UnitError::NoUnit { what: self.what, number, unit: self.usual });
            }
            (unit, _) => unit,
        };
        let known = self.units.iter().find(|(name, _)| *name == unit);
        known.map(|(_, factor)| *factor).ok_or_else(|| UnitError::UnknownUnit {
            what: self.what,
            unit: unit.to_owned(),
            nearest: self.nearest(unit),
            all: self.units.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
        })
    }

    /// `digits / 10^decimals * factor / per`, rounded half up.
    fn value(&self, digits: u128, decimals: u32, factor: u64) -> Result<u64, UnitError> {
        let too_large = UnitError::TooLarge { what: self.what, largest: self.largest };
        let scaled = digits.checked_mul(u128::from(factor)).ok_or(too_large.clone())?;
        // `decimal` gives at most 18 decimals, so this cannot overflow.
        let divisor = 10u128.pow(decimals) * u128::from(self.per);
        let value = (scaled / divisor) + u128::from(scaled % divisor >= divisor.div_ceil(2));
        if value == 0 && digits != 0 {
            return Err(UnitError::TooSmall { what: self.what, smallest: self.smallest });
        }
        u64::try_from(value).map_err(|_| too_large)
    }

    /// The unit that was most likely meant.
    fn nearest(&self, unit: &str) -> &'static str {
        let lower = unit.to_lowercase();
        if let Some((_, meant)) = self.otherwise.iter().find(|(written, _)| *written == lower) {
            return meant;
        }
        let names = self.units.iter().map(|(name, _)| *name);
        names
            .min_by_key(|name| (distance(&name.to_lowercase(), &lower), distance(name, unit)))
            .unwrap_or(self.usual)
    }
}

/// The digits of a decimal number as an integer, and how many of them stand behind the point; trailing zeros there
/// do not count. `None` for anything that is not one, or has more than 18 decimals or 38 digits.
fn decimal(number: &str) -> Option<(u128, u32)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 18 {
        return None;
    }
    let digits = format!("{whole}{fraction}").parse().ok()?;
    Some((digits, fraction.len() as u32))
}

/// Levenshtein distance: how many characters must be put in, left out or changed. For finding the word somebody meant.
pub fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
