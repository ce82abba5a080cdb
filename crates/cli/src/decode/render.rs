//! Explanations for people: a line per span, its bytes in colour, what it is, what it says, what that means.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Effects, Style};

use super::{Explained, Hue, Kind, Span};
use crate::style::Palette;
use crate::text::{count, printable};

/// Widest the column of bytes gets.
const MOST_BYTES: usize = 36;

/// Longest name shown in full; the parameters of a request have names of their own.
const MOST_NAME: usize = 24;

/// Longest value shown in full.
const MOST_VALUE: usize = 64;

/// Inputs up to this length get a line for every part of every value.
const SMALL: usize = 48;

/// What one line shows.
struct Line<'a> {
    span: &'a Span,
    /// The bytes it shows: those of the span, or only the first one where parts follow on lines of their own.
    parts: &'a [Span],
    depth: usize,
}

/// The bytes explained, and whether they are text by nature.
#[derive(Clone, Copy)]
struct Input<'a> {
    data: &'a [u8],
    text: bool,
}

/// The explanation as text. With `full`, or if the input is short, every part of a value gets its own line.
pub fn render(explained: &Explained, data: &[u8], full: bool, style: Palette) -> String {
    let full = full || data.len() <= SMALL;
    let input = Input { data, text: explained.kind == Kind::Request };
    let mut lines = Vec::new();
    for span in &explained.spans {
        collect(span, 0, full, &mut lines);
    }
    let width = |line: &Line<'_>| 2 * line.depth + shown_bytes(line, input, Palette::new(false)).1;
    let bytes = lines.iter().map(width).max().unwrap_or(0);
    let names = lines.iter().map(|line| cut(&line.span.name, MOST_NAME).chars().count()).max().unwrap_or(0);
    let values =
        lines.iter().map(|line| shown_value(line.span).chars().count()).filter(|len| *len <= 44).max();
    let mut text = format!("{}, {}\n\n", style.bold(explained.kind.title()), count(data.len(), "byte"));
    for line in &lines {
        let (shown, len) = shown_bytes(line, input, style);
        let pad = " ".repeat((bytes + 2).saturating_sub(2 * line.depth + len));
        let value = shown_value(line.span);
        let row = format!(
            "{}  {}{shown}{pad}{:<names$}  {}{}",
            style.dim(format_args!("{:>6}", line.span.offset)),
            "  ".repeat(line.depth),
            cut(&line.span.name, MOST_NAME),
            style.paint(color(line.span.hue), &value),
            meaning(line.span, values.unwrap_or(0).saturating_sub(value.chars().count()), style),
        );
        let _ = writeln!(text, "{}", row.trim_end());
    }
    if style.is_on() {
        let _ = write!(text, "\n{}", legend(&lines, style));
    }
    text
}

fn meaning(span: &Span, pad: usize, style: Palette) -> String {
    if span.meaning.is_empty() {
        return String::new();
    }
    format!("{}  {}", " ".repeat(pad), style.dim(printable(&span.meaning)))
}

/// The lines of a span and of the parts that deserve some.
fn collect<'a>(span: &'a Span, depth: usize, full: bool, lines: &mut Vec<Line<'a>>) {
    let opened = span.open || (full && span.children.len() > 1);
    if !opened {
        lines.push(Line { span, parts: &span.children, depth });
        return;
    }
    // A container begins with a mark that says no more than the container itself.
    let own = span.children.first().filter(|first| span.open && first.hue == Hue::Mark);
    let shown = if own.is_some() { 1 } else { 0 };
    let parts = if span.open { &span.children[..shown] } else { &span.children[..] };
    lines.push(Line { span, parts, depth });
    for child in &span.children[shown..] {
        let closing = child.hue == Hue::Mark && child.name.starts_with("end of") && span.open;
        collect(child, if closing { depth } else { depth + 1 }, full, lines);
    }
}

/// The bytes of a line in colour, and how many columns they take.
fn shown_bytes(line: &Line<'_>, input: Input<'_>, style: Palette) -> (String, usize) {
    let span = line.span;
    let mut text = String::new();
    let mut len = 0;
    let room = MOST_BYTES.saturating_sub(2 * line.depth).max(8);
    if line.parts.is_empty() {
        if !span.open {
            piece_of(input, span, style, room, &mut text, &mut len);
        }
        return (text, len);
    }
    for part in line.parts {
        piece_of(input, part, style, room, &mut text, &mut len);
    }
    (text, len)
}

/// Adds bytes, as text where they are text and in hexadecimal where not, as far as there is room.
fn piece_of(input: Input<'_>, span: &Span, style: Palette, room: usize, text: &mut String, len: &mut usize) {
    let bytes = &input.data[span.offset..span.end()];
    // More than would fit is not looked at.
    let head = &bytes[..bytes.len().min(2 * room)];
    let as_text = input.text || span.hue != Hue::Bytes;
    let printed = match std::str::from_utf8(head) {
        Ok(head) if as_text && head.chars().all(|c| !c.is_control()) => head.to_owned(),
        Ok(head) if as_text && head.trim_end_matches(['\r', '\n']).chars().all(|c| !c.is_control()) => {
            head.escape_debug().to_string()
        }
        _ => head.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
    };
    let free = room.saturating_sub(*len);
    let width = printed.chars().count();
    let shown = if width > free || head.len() < bytes.len() {
        let mut cut: String = printed.chars().take(free.saturating_sub(1)).collect();
        if free > 0 {
            cut.push('…');
        }
        cut
    } else {
        printed
    };
    *len += shown.chars().count();
    let _ = write!(text, "{}", style.paint(color(span.hue), printable(&shown)));
}

fn shown_value(span: &Span) -> String {
    // The value of a mark is the mark, which stands there already.
    if span.hue == Hue::Mark && !span.open {
        return String::new();
    }
    cut(&span.value, MOST_VALUE)
}

/// A text fit for the terminal and for its column.
fn cut(text: &str, most: usize) -> String {
    // Escapes only make it longer, so what is behind `most` characters is not looked at.
    let shown = printable(&text.chars().take(most + 1).collect::<String>());
    if shown.chars().count() <= most {
        return shown;
    }
    let cut: String = shown.chars().take(most - 1).collect();
    cut + "…"
}

fn color(hue: Hue) -> Style {
    let on = |color: AnsiColor| color.on_default();
    match hue {
        Hue::Mark => Style::new().effects(Effects::DIMMED),
        Hue::Length => on(AnsiColor::Yellow),
        Hue::Id => on(AnsiColor::Magenta).effects(Effects::BOLD),
        Hue::Key => on(AnsiColor::Cyan),
        Hue::Text => on(AnsiColor::Green),
        Hue::Number => on(AnsiColor::Blue).effects(Effects::BOLD),
        Hue::Bytes => on(AnsiColor::Magenta),
        Hue::Wrong => on(AnsiColor::Red).effects(Effects::BOLD),
    }
}

/// The colours that were used, each in itself.
fn legend(lines: &[Line<'_>], style: Palette) -> String {
    let mut hues: Vec<Hue> =
        lines.iter().flat_map(|line| line.parts.iter().map(|part| part.hue).chain([line.span.hue])).collect();
    hues.sort_unstable();
    hues.dedup();
    let name = |hue| match hue {
        Hue::Mark => "mark",
        Hue::Length => "length",
        Hue::Id => "kind",
        Hue::Key => "key",
        Hue::Text => "text",
        Hue::Number => "number",
        Hue::Bytes => "bytes",
        Hue::Wrong => "not understood",
    };
    let named: Vec<String> =
        hues.into_iter().map(|hue| style.paint(color(hue), name(hue)).to_string()).collect();
    format!("{} {}\n", style.dim("colours:"), named.join("  "))
}
