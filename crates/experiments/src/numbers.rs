//! Numbers as text: fixed decimals for files, columns of times, counts. All of it is integer arithmetic, so the same value is
//! the same text on every machine. Quantities with units are [`crate::units`].

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::units::grouped;

/// A number of seconds, a ratio, a share: a whole number of `10^-places`, shown with all its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    scaled: u128,
    places: u8,
}

impl Decimal {
    /// Seconds with six places.
    pub fn seconds(time: Duration) -> Decimal {
        Decimal::micros(micros(time))
    }

    /// Seconds with six places, from microseconds.
    pub fn micros(micros: u64) -> Decimal {
        Decimal { scaled: micros.into(), places: 6 }
    }

    /// A whole number, with no places.
    pub fn whole(number: u64) -> Decimal {
        Decimal { scaled: number.into(), places: 0 }
    }

    /// `part / whole` with six places, rounded down so that what stays below a limit is also shown below it; `None` of
    /// nothing.
    pub fn ratio(part: u128, whole: u128) -> Option<Decimal> {
        let scaled = part.checked_mul(1_000_000)?.checked_div(whole)?;
        Some(Decimal { scaled, places: 6 })
    }

    /// Millionths of the number, rounded down.
    pub fn millionths(self) -> u128 {
        match self.places {
            places @ 0..=6 => self.scaled * 10_u128.pow((6 - places).into()),
            places => self.scaled / 10_u128.pow((places - 6).into()),
        }
    }

    /// The same number with fewer places, rounded half up.
    pub fn rounded(self, places: u8) -> Decimal {
        if places >= self.places {
            return self;
        }
        let unit = 10_u128.pow((self.places - places).into());
        Decimal { scaled: (self.scaled + unit / 2) / unit, places }
    }

    /// As so many per cent with one place: `93.4 %`.
    pub fn percent(self) -> String {
        self.percent_with(1)
    }

    /// As so many per cent with this many places.
    pub fn percent_with(self, places: u8) -> String {
        let hundredfold = Decimal { scaled: self.scaled * 100, places: self.places };
        format!("{} %", hundredfold.rounded(places))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.places == 0 {
            return write!(f, "{}", self.scaled);
        }
        let unit = 10_u128.pow(self.places.into());
        write!(f, "{}.{:0width$}", self.scaled / unit, self.scaled % unit, width = self.places.into())
    }
}

impl Serialize for Decimal {
    /// A JSON number with all its places, which no float would keep.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// A number that may be below nothing, such as an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    negative: bool,
    size: Decimal,
}

impl Signed {
    /// `part / whole` with six places, rounded towards nothing; `None` of nothing.
    pub fn ratio(part: i128, whole: u128) -> Option<Signed> {
        let size = Decimal::ratio(part.unsigned_abs(), whole)?;
        Some(Signed { negative: part < 0 && size.scaled > 0, size })
    }

    /// How far it is from nothing.
    pub fn size(self) -> Decimal {
        self.size
    }

    /// As so many per cent with one place and always a sign: `+3.2 %`.
    pub fn percent(self) -> String {
        let text = self.size.percent();
        let sign = match self.negative {
            _ if text == "0.0 %" => "",
            true => "-",
            false => "+",
        };
        format!("{sign}{text}")
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.negative { "-" } else { "" }, self.size)
    }
}

impl Serialize for Signed {
    /// A JSON number with all its places, as a [`Decimal`] is.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// Whole microseconds of a time; the largest number if there are more.
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// `1 peer`, `1,000 peers`.
pub fn count(number: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// The unit in which a column of times is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeUnit {
    /// `seconds`, `minutes` or `hours`.
    pub name: &'static str,
    micros: u64,
}

impl TimeUnit {
    /// For times up to this one.
    pub fn of(longest: Duration) -> TimeUnit {
        let (name, seconds) = match longest.as_secs() {
            0..180 => ("seconds", 1),
            180..10_800 => ("minutes", 60),
            _ => ("hours", 3_600),
        };
        TimeUnit { name, micros: seconds * 1_000_000 }
    }

    /// A time in this unit, three digits or so, without its name.
    pub fn show(self, time: Duration) -> String {
        let value = Decimal::ratio(time.as_micros(), self.micros.into()).expect("a unit is not nothing");
        significant(value)
    }
}

/// A number with three digits or so: `0.95`, `12.3`, `1234`.
pub fn significant(value: Decimal) -> String {
    let places = match value.millionths() {
        0..9_995_000 => 2,
        9_995_000..99_950_000 => 1,
        _ => 0,
    };
    value.rounded(places).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_places() {
        assert_eq!(Decimal::micros(1_500_000).to_string(), "1.500000");
        assert_eq!(Decimal::seconds(Duration::from_nanos(1_999)).to_string(), "0.000001");
        assert_eq!(Decimal::ratio(2, 3).unwrap().to_string(), "0.666666");
        assert_eq!(Decimal::ratio(2, 3).unwrap().rounded(2).to_string(), "0.67");
        assert_eq!(Decimal::ratio(1999, 1000).unwrap().rounded(0).to_string(), "2");
        assert_eq!(Decimal::ratio(9_999, 10_000).unwrap().percent(), "100.0 %");
        assert_eq!(Decimal::ratio(1, 1262).unwrap().percent_with(3), "0.079 %");
        assert_eq!(Decimal::ratio(1, 0), None);
        assert_eq!(serde_json::to_string(&Decimal::micros(u64::MAX)).unwrap(), "18446744073709.551615");
        assert_eq!(serde_json::to_value(Decimal::micros(2_500_000)).unwrap(), 2.5);
    }

    #[test]
    fn errors_have_a_sign() {
        for (part, text, percent) in
            [(-32, "-0.032000", "-3.2 %"), (32, "0.032000", "+3.2 %"), (0, "0.000000", "0.0 %")]
        {
            let error = Signed::ratio(part, 1_000).unwrap();
            assert_eq!((error.to_string().as_str(), error.percent().as_str()), (text, percent));
        }
        assert_eq!(Signed::ratio(-1, 10_000_000).unwrap().to_string(), "0.000000");
        assert_eq!(Signed::ratio(1, 0), None);
        assert_eq!(serde_json::to_string(&Signed::ratio(-1, 4)).unwrap(), "-0.250000");
    }

    #[test]
    fn quantities_for_people() {
        assert_eq!(count(1, "peer") + ", " + &count(1000, "peer"), "1 peer, 1,000 peers");
        for (longest, name, text) in
            [(179, "seconds", "179"), (180, "minutes", "3.00"), (86_400, "hours", "24.0")]
        {
            let longest = Duration::from_secs(longest);
            assert_eq!(
                (TimeUnit::of(longest).name, TimeUnit::of(longest).show(longest).as_str()),
                (name, text)
            );
        }
        for (millionths, text) in [(0, "0.00"), (9_994_999, "9.99"), (9_995_000, "10.0"), (99_950_000, "100")]
        {
            assert_eq!(significant(Decimal::micros(millionths)), text);
        }
    }
}
