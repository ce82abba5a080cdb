//! Arrival times from a file: one on each line, or the first column of a CSV file. A bare number is seconds, as in
//! the columns this program writes; a header, empty lines and lines that begin with `#` are passed over.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::time::Duration;

use super::diagnostic::quote;
use super::keys::MOST_NODES;
use crate::units::parse_time;

/// Largest file in bytes: some 50 for each node that may arrive.
const LARGEST: u64 = 256 << 20;
/// Longest line in bytes.
const LONGEST_LINE: u64 = 4 << 10;

/// The times of a file in order, at least one.
pub(crate) fn read(path: &Path, shown: &str) -> Result<Vec<Duration>, String> {
    let file = File::open(path).map_err(|error| format!("cannot read {}: {error}", quote(shown)))?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    if length > LARGEST {
        return Err(format!("{} has more than 256 MiB", quote(shown)));
    }
    let mut reader = BufReader::new(file.take(LARGEST));
    let mut times = Vec::new();
    let mut line = Vec::new();
    for number in 1_usize.. {
        line.clear();
        let told = |what: String| format!("{shown}:{number}: {what}");
        let length = (&mut reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .map_err(|error| told(error.to_string()))?;
        if length == 0 {
            break;
        }
        if length as u64 == LONGEST_LINE {
            return Err(told(format!("a line of more than {LONGEST_LINE} bytes")));
        }
        match time_of(&line, times.is_empty()) {
            Ok(Some(time)) => times.push(time),
            Ok(None) => {}
            Err(what) => return Err(told(what)),
        }
        if times.len() as u64 > MOST_NODES {
            return Err(told(format!("more than {MOST_NODES} times")));
        }
    }
    if times.is_empty() {
        return Err(format!("there is no time in {}", quote(shown)));
    }
    times.sort_unstable();
    Ok(times)
}

/// The time of a line, if it has one. A line that begins with a letter is a header, as long as no time was seen.
fn time_of(line: &[u8], first: bool) -> Result<Option<Duration>, String> {
    let text = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
    let cell = text.split([',', ';', '\t']).next().unwrap_or_default().trim().trim_matches('"');
    let header = first && cell.starts_with(|c: char| c.is_alphabetic());
    if text.trim().is_empty() || text.starts_with('#') || header {
        return Ok(None);
    }
    let bare = cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let parsed = if bare { parse_time(&format!("{cell} s")) } else { parse_time(cell) };
    parsed.map(Some).map_err(|error| format!("{}: {error}", quote(cell)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<u128>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).expect("a file");
        read(&path, "t.csv").map(|times| times.iter().map(Duration::as_millis).collect())
    }

    #[test]
    fn times_of_lines_and_columns() {
        assert_eq!(of("0\n1.5\n\n# late\n2 min\n"), Ok(vec![0, 1_500, 120_000]));
        assert_eq!(of("join_s,id\r\n3,7\r\n\"0.25\",8"), Ok(vec![250, 3_000]));
    }

    #[test]
    fn what_is_no_time_is_told_with_its_line() {
        for (text, said) in [
            ("", "there is no time in 't.csv'"),
            ("time\n", "there is no time in 't.csv'"),
            ("1\nx\n", "t.csv:2: 'x': a time starts with a number, such as '30 s'"),
            (
                "1\n2 hours\n",
                "t.csv:2: '2 hours': unknown unit 'hours'; did you mean 'h'? Units of a time: us, ms, s, min, h, d",
            ),
            ("1\n-1\n", "t.csv:2: '-1': a time starts with a number, such as '30 s'"),
        ] {
            assert_eq!(of(text), Err(said.to_owned()));
        }
        let long = of(&"1".repeat(5_000));
        assert_eq!(long, Err("t.csv:1: a line of more than 4096 bytes".to_owned()));
        assert!(
            read(Path::new("not-there"), "not-there").unwrap_err().starts_with("cannot read 'not-there': ")
        );
    }
}
