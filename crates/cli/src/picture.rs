//! The moving picture of a swarm on a terminal: a line for each endpoint, cut to the terminal's size. A line that wraps, or
//! a picture higher than the terminal, could not be drawn over.

use std::fmt::Write as _;

use swarmlab_protocol::{Bitfield, PieceIndex};

use crate::style::Palette;
use swarmlab_experiments::units::show_rate;

/// Most characters of a bar of pieces, and fewest.
const BAR: std::ops::RangeInclusive<usize> = 8..=40;
/// Characters of a line besides the bar: name, percent, rates and a free one; and whom it serves, which narrow terminals
/// go without.
const BESIDE: usize = 49;
const SERVES: usize = 19;

/// Columns and lines of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Characters in a line.
    pub columns: usize,
    /// Lines.
    pub lines: usize,
}

/// What a line shows of an endpoint. Rates are in bytes per second.
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) have: &'a Bitfield,
    pub(crate) down: u64,
    pub(crate) up: u64,
    /// Remotes that may ask for blocks and want some.
    pub(crate) served: usize,
    pub(crate) links: usize,
}

/// The lines of all endpoints, or of as many as fit and a line on the others.
pub(crate) fn picture(style: Palette, rows: &[Row<'_>], size: Size) -> String {
    let room = size.columns.saturating_sub(BESIDE);
    let serves = room > SERVES + 2 * BAR.start();
    let places = (if serves { room - SERVES } else { room }).clamp(*BAR.start(), *BAR.end());
    // The cursor stands below the picture, on the last line.
    let fit = size.lines.saturating_sub(1).max(2);
    let shown = if rows.len() <= fit { rows.len() } else { fit - 1 };
    let mut text = String::new();
    for row in &rows[..shown] {
        let bar = style.paint(anstyle::AnsiColor::Cyan.on_default(), bar(row.have, places));
        _ = write!(
            text,
            "{:<9} {bar} {:>3} %  down {:>10}  up {:>10}",
            row.name,
            u64::from(row.have.count()) * 100 / u64::from(row.have.len().max(1)),
            show_rate(row.down),
            show_rate(row.up),
        );
        if serves {
            _ = write!(text, "  serves {} of {}", row.served, row.links);
        }
        text.push('\n');
    }
    if shown < rows.len() {
        let complete = rows[shown..].iter().filter(|row| row.have.is_full()).count();
        _ = writeln!(text, "and {} more, {complete} of them complete", rows.len() - shown);
    }
    text
}

/// The pieces in order, a character for as many as fit: the fuller, the darker.
fn bar(have: &Bitfield, places: usize) -> String {
    let len = have.len() as usize;
    let mut here = vec![(0usize, 0usize); places.min(len.max(1))];
    let places = here.len();
    for piece in 0..len {
        let place = &mut here[piece * places / len.max(1)];
        place.1 += 1;
        place.0 += usize::from(have.contains(PieceIndex(piece as u32)));
    }
    here.iter().map(|&(has, of)| ['·', '░', '▒', '▓', '█'][(has * 4).checked_div(of).unwrap_or(4)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(endpoints: usize, columns: usize, lines: usize) -> Vec<String> {
        let have = Bitfield::full(100);
        let name = "leech 500";
        let row = |_| Row { name, have: &have, down: 999_999_999, up: 99_900_000, served: 100, links: 100 };
        let rows: Vec<Row<'_>> = (0..endpoints).map(row).collect();
        picture(Palette::new(false), &rows, Size { columns, lines }).lines().map(str::to_owned).collect()
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for columns in [60, 79, 80, 81, 82, 83, 100, 120, 300] {
            let widest = lines(9, columns, 24).iter().map(|line| line.chars().count()).max();
            assert!(widest < Some(columns), "{widest:?} of {columns}");
        }
        assert!(lines(9, 80, 24)[0].contains(&"█".repeat(31)));
        assert!(lines(9, 110, 24)[0].ends_with("serves 100 of 100"));
    }

    #[test]
    fn a_swarm_that_is_higher_than_the_terminal_is_cut_and_counted() {
        assert_eq!(lines(23, 80, 24).len(), 23);
        let cut = lines(51, 80, 24);
        assert_eq!((cut.len(), cut[22].as_str()), (23, "and 29 more, 29 of them complete"));
    }

    #[test]
    fn a_bar_shows_where_the_pieces_are() {
        let mut have = Bitfield::empty(80);
        (0..=40).for_each(|piece| _ = have.insert(PieceIndex(piece)));
        assert_eq!(bar(&have, 40), format!("{}▒{}", "█".repeat(20), "·".repeat(19)));
        assert_eq!(bar(&Bitfield::full(3), 40), "███");
    }
}
