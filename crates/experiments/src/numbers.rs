//! Numbers as text: fixed decimals for files, short quantities for people. All of it is integer arithmetic, so the same
//! value is the same text on every machine.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

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

/// Whole microseconds of a time; the largest number if there are more.
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Digits in groups of three: `1,048,576`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 peer`, `1,000 peers`.
pub fn count(number: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A size in binary units, three digits or so: `16 KiB`, `1.5 MiB`.
pub fn show_size(bytes: u64) -> String {
    scaled(bytes, 1024, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}

/// A large number in short: `950`, `3.2 k`, `14 M`.
pub fn show_number(number: u64) -> String {
    scaled(number, 1000, &["", "k", "M", "G", "T"]).trim_end().to_owned()
}

/// A time: `340 ms`, `12.3 s`, `2 min 5 s`, `3 h 4 min`, `2 d 1 h`.
pub fn show_time(time: Duration) -> String {
    let millis = time.as_millis();
    let tenths = (millis + 50) / 100;
    let seconds = (millis + 500) / 1000;
    let minutes = (seconds + 30) / 60;
    match () {
        () if time.is_zero() => "0 s".to_owned(),
        () if millis == 0 => format!("{} us", time.as_micros()),
        () if tenths < 10 => format!("{millis} ms"),
        () if tenths < 600 => format!("{}.{} s", tenths / 10, tenths % 10),
        () if seconds < 3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        () if minutes < 24 * 60 => format!("{} h {} min", minutes / 60, minutes % 60),
        () => format!("{} d {} h", minutes / 1440, minutes % 1440 / 60),
    }
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

/// So many in a time, as a number per second; 0 in no time.
pub fn per_second(number: u64, time: Duration) -> u64 {
    let rate = (u128::from(number) * 1_000_000_000).checked_div(time.as_nanos()).unwrap_or(0);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// The value in the largest unit that leaves at least 1; one decimal below 100 unless it is whole.
fn scaled(value: u64, base: u64, units: &[&str]) -> String {
    let mut factor = 1;
    let mut unit = 0;
    loop {
        let tenths = (u128::from(value) * 10 + factor / 2) / factor;
        let whole = (u128::from(value) + factor / 2) / factor;
        if whole < u128::from(base) || unit + 1 == units.len() {
            return match unit {
                0 => format!("{value} {}", units[0]),
                _ if tenths >= 1000 || tenths.is_multiple_of(10) => format!("{whole} {}", units[unit]),
                _ => format!("{}.{} {}", tenths / 10, tenths % 10, units[unit]),
            };
        }
        factor *= u128::from(base);
        unit += 1;
    }
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
    fn quantities_for_people() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(count(1, "peer") + ", " + &count(1000, "peer"), "1 peer, 1,000 peers");
        for (number, text) in [(950, "950"), (3_240, "3.2 k"), (14_000_000, "14 M"), (999_950, "1 M")] {
            assert_eq!(show_number(number), text);
        }
        assert_eq!(show_size(1_572_864), "1.5 MiB");
        for (millis, text) in
            [(340, "340 ms"), (12_345, "12.3 s"), (125_000, "2 min 5 s"), (11_040_000, "3 h 4 min")]
        {
            assert_eq!(show_time(Duration::from_millis(millis)), text);
        }
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
        assert_eq!(per_second(300, Duration::from_millis(1500)), 200);
        assert_eq!(per_second(300, Duration::ZERO), 0);
    }
}
