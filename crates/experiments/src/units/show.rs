//! Quantities for people: three significant digits or so, with the unit that makes the number short.

use std::time::Duration;

const BINARY: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
const PLAIN: [&str; 5] = ["", "k", "M", "G", "T"];
const DECIMAL: [&str; 4] = ["B/s", "kB/s", "MB/s", "GB/s"];

/// A size in binary units: `16 KiB`, `1.5 MiB`, `700 MiB`.
pub fn show_size(bytes: u64) -> String {
    scaled(bytes, 1024, &BINARY)
}

/// A size for people and to the byte: `1.5 MiB (1,572,864 bytes)`.
pub fn show_exact(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..1024 => format!("{bytes} bytes"),
        _ => format!("{} ({} bytes)", show_size(bytes), grouped(bytes)),
    }
}

/// A rate in decimal units: `12.3 MB/s`.
pub fn show_rate(bytes_per_second: u64) -> String {
    scaled(bytes_per_second, 1000, &DECIMAL)
}

/// A large number in short: `950`, `3.2 k`, `14 M`.
pub fn show_number(number: u64) -> String {
    scaled(number, 1000, &PLAIN).trim_end().to_owned()
}

/// So many (bytes, events) per second over a time; over no time at all, nothing.
pub fn rate_of(number: u64, time: Duration) -> u64 {
    let rate = (u128::from(number) * 1_000_000_000).checked_div(time.as_nanos()).unwrap_or(0);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// A time: `340 ms`, `12.3 s`, `2 min 5 s`, `3 h 4 min`, `2 d 1 h`.
pub fn show_duration(time: Duration) -> String {
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
