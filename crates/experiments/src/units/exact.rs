//! Quantities as they are written in files: the shortest text that is read back as the same value.

use std::time::Duration;

use super::{FREQUENCY, Quantity, RATE, SIZE, TIME};

/// A size to the byte: `100 MiB`, `1500 B`.
pub fn exact_size(bytes: u64) -> String {
    SIZE.exact(bytes)
}

/// A rate to the byte per second: `400 kbit/s`, `10 Mbit/s`; bits, as links are sold by.
pub fn exact_rate(bytes_per_second: u64) -> String {
    Quantity { units: &RATE.units[..4], ..RATE }.exact(bytes_per_second)
}

/// A time to the nanosecond, up to 584 years: `20 ms`, `1.5 us`.
pub fn exact_time(time: Duration) -> String {
    TIME.exact(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// A frequency in billionths of an event per hour: `2 /s`, `3.5 /h`.
pub fn exact_frequency(billionths_per_hour: u64) -> String {
    FREQUENCY.exact(billionths_per_hour)
}

impl Quantity {
    /// The exact text with a whole number if there is one, and with the shortest.
    fn exact(&self, value: u64) -> String {
        if value == 0 {
            return format!("0 {}", self.usual);
        }
        let value = u128::from(value) * u128::from(self.per);
        let numbers = self
            .units
            .iter()
            .filter_map(|(name, factor)| Some((decimals(value, u128::from(*factor))?, name)));
        let shortest = numbers.min_by_key(|(number, _)| (number.contains('.'), number.len()));
        // Every value has one: all units but the smallest of each kind are multiples of it by powers of 10 and 2.
        shortest.map_or_else(String::new, |(number, name)| format!("{number} {name}"))
    }
}

/// `value / factor` with up to nine decimals; `None` if that is not exact.
fn decimals(value: u128, factor: u128) -> Option<String> {
    const BILLION: u128 = 1_000_000_000;
    let (whole, rest) = (value / factor, value % factor);
    if rest == 0 {
        return Some(whole.to_string());
    }
    let scaled = rest * BILLION;
    if !scaled.is_multiple_of(factor) {
        return None;
    }
    let digits = format!("{:09}", scaled / factor);
    Some(format!("{whole}.{}", digits.trim_end_matches('0')))
}
