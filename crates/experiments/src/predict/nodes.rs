//! Tables of nodes: CSV with a header that names the columns `up`, `down`, `count` and `name`, in any order. Only `up` must be
//! there: `down` is then the same, `count` is 1. Empty lines and lines that begin with `#` are passed over.

use super::question::Class;
use crate::units::{distance, parse_rate};

/// The columns there are.
const COLUMNS: [&str; 4] = ["name", "count", "up", "down"];
/// Most rows.
const MOST_ROWS: usize = 1_000_000;

/// Reads a table.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn read(text: &str) -> Result<Vec<Class>, String> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let (number, header) =
        lines.next().ok_or("there is no line in it: it needs a header such as count,up,down")?;
    let columns = header_of(header).map_err(|what| format!("line {number}: {what}"))?;
    let mut classes = Vec::new();
    for (number, line) in lines {
        if classes.len() == MOST_ROWS {
            return Err(format!("line {number}: more than {MOST_ROWS} rows"));
        }
        classes.push(row(&columns, line).map_err(|what| format!("line {number}: {what}"))?);
    }
    if classes.is_empty() { Err("there is no node in it, only the header".to_owned()) } else { Ok(classes) }
}

fn cells(line: &str) -> Vec<&str> {
    line.split(',').map(|cell| cell.trim().trim_matches('"').trim()).collect()
}

fn header_of(line: &str) -> Result<Vec<&'static str>, String> {
    let mut columns = Vec::new();
    for cell in cells(line) {
        let lower = cell.to_lowercase();
        let Some(column) = COLUMNS.into_iter().find(|column| *column == lower) else {
            let near = COLUMNS.into_iter().min_by_key(|column| distance(column, &lower)).unwrap_or("up");
            return Err(format!(
                "unknown column '{cell}'; did you mean '{near}'? Columns are name, count, up, down"
            ));
        };
        if columns.contains(&column) {
            return Err(format!("the column '{column}' is there twice"));
        }
        columns.push(column);
    }
    if columns.contains(&"up") { Ok(columns) } else { Err("there is no column 'up'".to_owned()) }
}

fn row(columns: &[&str], line: &str) -> Result<Class, String> {
    let cells = cells(line);
    if cells.len() != columns.len() {
        return Err(format!("{} cells, but the header has {}", cells.len(), columns.len()));
    }
    let cell = |name: &str| columns.iter().position(|column| *column == name).map(|at| cells[at]);
    let rate = |name: &str| {
        let text = cell(name).filter(|text| !text.is_empty());
        let read = |text: &str| parse_rate(text).map_err(|error| format!("{name} is '{text}': {error}"));
        let zero = |rate: u64| if rate == 0 { Err(format!("{name} is nothing")) } else { Ok(rate) };
        text.map(|text| read(text).and_then(zero)).transpose()
    };
    let up = rate("up")?.ok_or("there is no rate in the column 'up'")?;
    let count = match cell("count") {
        None | Some("") => 1,
        Some(text) => text.parse().map_err(|_| format!("count is '{text}', not a whole number"))?,
    };
    let name = cell("name").filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(Class { name, count, up, down: rate("down")?.unwrap_or(up) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_nodes() {
        let text = "# two racks\ncount,Up,down,name\n\n40, 1 Gbit/s ,2 Gbit/s,\"rack a\"\n,10 MB/s,,\n";
        let expected = [
            Class { name: Some("rack a".to_owned()), count: 40, up: 125_000_000, down: 250_000_000 },
            Class { name: None, count: 1, up: 10_000_000, down: 10_000_000 },
        ];
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, told) in [
            ("", "no line"),
            ("up\n", "no node"),
            ("count,down\n1,1 MB/s\n", "line 1: there is no column 'up'"),
            ("uplink\n1 MB/s\n", "line 1: unknown column 'uplink'; did you mean 'up'?"),
            ("up,up\n", "line 1: the column 'up' is there twice"),
            ("# x\nup,count\n1 MB/s\n", "line 3: 1 cells, but the header has 2"),
            ("up\n10\n", "line 2: up is '10': a rate needs a unit"),
            ("up\n0 B/s\n", "line 2: up is nothing"),
            ("up,count\n1 MB/s,many\n", "line 2: count is 'many'"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(told), "{text:?}: {error}");
        }
    }
}
