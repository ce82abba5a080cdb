//! Tables of text as CSV (RFC 4180): a header, then rows. Cells are found by the name of their column.

/// A table.
pub(super) struct Csv {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Csv {
    /// Reads a text; empty lines are passed over.
    pub(super) fn read(text: &str) -> Csv {
        let mut rows = rows(text).into_iter().filter(|row| row.iter().any(|cell| !cell.is_empty()));
        Csv { header: rows.next().unwrap_or_default(), rows: rows.collect() }
    }

    /// The rows with their numbers, from 1.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().enumerate().map(|(number, cells)| Row { table: self, cells, number: number + 1 })
    }
}

/// A row of a table.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'a Csv,
    cells: &'a [String],
    number: usize,
}

impl<'a> Row<'a> {
    /// The cell of a column.
    pub(super) fn text(&self, column: &str) -> Result<&'a str, String> {
        let at = self.table.header.iter().position(|name| name == column);
        let at = at.ok_or_else(|| format!("has no column {column}"))?;
        self.cells.get(at).map(String::as_str).ok_or_else(|| self.wrong(column, "is missing"))
    }

    /// A whole number.
    pub(super) fn whole(&self, column: &str) -> Result<u64, String> {
        let text = self.text(column)?;
        text.parse().map_err(|_| self.wrong(column, &format!("is no whole number: '{text}'")))
    }

    /// A whole number; `None` of an empty cell.
    pub(super) fn whole_if_any(&self, column: &str) -> Result<Option<u64>, String> {
        if self.text(column)?.is_empty() { Ok(None) } else { self.whole(column).map(Some) }
    }

    /// A number in millionths, such as microseconds of seconds; `None` of an empty cell.
    pub(super) fn millionths(&self, column: &str) -> Result<Option<i64>, String> {
        match self.text(column)? {
            "" => Ok(None),
            text => millionths(text)
                .map(Some)
                .ok_or_else(|| self.wrong(column, &format!("is no number: '{text}'"))),
        }
    }

    fn wrong(&self, column: &str, what: &str) -> String {
        format!("row {}: {column} {what}", self.number)
    }
}

/// A decimal number times a million, cut off.
fn millionths(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) {
        return None;
    }
    let part = format!("{part:0<6}");
    let value = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(part[..6].parse().ok()?)?;
    Some(sign * value)
}

fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            c => cell.push(c),
        }
    }
    row.push(cell);
    rows.push(row);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_by_their_column() {
        let table = Csv::read("a,\"b, or c\",d\r\n1,\"say \"\"x\"\"\",2.5\n\n-,,\n");
        let rows: Vec<Row<'_>> = table.rows().collect();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].whole("a"), rows[0].text("b, or c")), (Ok(1), Ok("say \"x\"")));
        assert_eq!((rows[0].millionths("d"), rows[1].millionths("d")), (Ok(Some(2_500_000)), Ok(None)));
        assert_eq!((rows[0].whole_if_any("a"), rows[1].whole_if_any("d")), (Ok(Some(1)), Ok(None)));
        assert!(rows[1].whole_if_any("a").is_err());
        assert_eq!(rows[1].whole("a").unwrap_err(), "row 2: a is no whole number: '-'");
        assert_eq!(rows[0].text("e").unwrap_err(), "has no column e");
    }

    #[test]
    fn numbers() {
        for (text, value) in [
            ("-3.0", Some(-3_000_000)),
            ("0.0000019", Some(1)),
            ("12", Some(12_000_000)),
            ("1e3", None),
            (".5", None),
            ("-", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(millionths(text), value, "{text}");
        }
    }
}
