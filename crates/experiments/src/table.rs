//! Tables of text for a terminal: columns as wide as their widest cell, numbers to the right.

use std::fmt;

/// To which side the cells of a column lean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table: a row of titles and rows of cells. Shown with two blanks before each line and between columns.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns, the first of words, the others of numbers. Without any title no line is spent on them.
    pub fn new<T: Into<String>>(titles: impl IntoIterator<Item = T>) -> Table {
        let align = |number| if number == 0 { Align::Left } else { Align::Right };
        let columns =
            titles.into_iter().enumerate().map(|(number, title)| (title.into(), align(number))).collect();
        Table { columns, rows: Vec::new() }
    }

    /// The same with a column that leans elsewhere.
    #[must_use]
    pub fn aligned(mut self, column: usize, align: Align) -> Table {
        if let Some(column) = self.columns.get_mut(column) {
            column.1 = align;
        }
        self
    }

    /// Adds a row. Cells that are missing stay empty, those beyond the last column are not shown.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// How many rows there are, without the titles.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles: Vec<String> = self.columns.iter().map(|(title, _)| title.clone()).collect();
        let titled = titles.iter().any(|title| !title.is_empty());
        let lines: Vec<&Vec<String>> = titled.then_some(&titles).into_iter().chain(&self.rows).collect();
        let width = |column: usize| {
            lines.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| width(column).unwrap_or(0)).collect();
        for row in &lines {
            let mut line = String::new();
            for (column, (width, (_, align))) in widths.iter().zip(&self.columns).enumerate() {
                let cell = row.get(column).map_or("", String::as_str);
                match align {
                    Align::Left => line.push_str(&format!("  {cell:<width$}")),
                    Align::Right => line.push_str(&format!("  {cell:>width$}")),
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A text from a scenario fit for a cell: no control characters, and not longer than this many characters.
pub fn clipped(text: &str, width: usize) -> String {
    let mut plain = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let mut clipped: String = plain.by_ref().take(width).collect();
    if plain.next().is_some() {
        clipped.pop();
        clipped.push('…');
    }
    clipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["group", "peers", "note"]).aligned(2, Align::Left);
        table.row(["origin", "1", "stays"]);
        table.row(["é", "1,000"]);
        assert_eq!(
            table.to_string(),
            "  group   peers  note\n  \
               origin      1  stays\n  \
               é       1,000\n"
        );
        assert!(!table.is_empty() && table.len() == 2);
        let mut untitled = Table::new(["", ""]);
        untitled.row(["a", "1"]);
        assert_eq!(untitled.to_string(), "  a  1\n");
    }

    #[test]
    fn long_names_are_cut_and_terminals_not_steered() {
        assert_eq!(clipped("leechers", 8), "leechers");
        assert_eq!(clipped("leechers!", 8), "leecher…");
        assert_eq!(clipped("a\u{1b}[2J", 9), "a\u{fffd}[2J");
    }
}
