//! Line charts as inline SVG: axes with ticks, lines or steps, marks. Coordinates are whole tenths of a unit of the view
//! box, so no float is printed.

use std::fmt::Write as _;

use super::axis::Axis;
use super::html::escape;

/// The picture, in tenths.
pub(super) const WIDTH: i64 = 4_800;
const HEIGHT: i64 = 2_950;
/// The part of it within the axes.
const LEFT: i64 = 590;
const RIGHT: i64 = 4_660;
const TOP: i64 = 310;
const BOTTOM: i64 = 2_420;

/// A chart.
pub(super) struct Chart {
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
    pub marks: Vec<Mark>,
}

/// A line.
pub(super) struct Series {
    pub name: String,
    /// Which colour and which dashes; see `style.css`.
    pub tone: usize,
    /// By ascending x.
    pub points: Vec<(u64, u64)>,
    pub shape: Shape,
}

/// How points become a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Straight from point to point.
    Line,
    /// A value holds until the next point.
    Steps,
}

/// A vertical line with a name.
pub(super) struct Mark {
    pub at: u64,
    pub name: String,
}

impl Chart {
    /// The SVG element. `label` says what it shows to who cannot see it.
    pub(super) fn svg(&self, label: &str) -> String {
        let mut svg = String::new();
        let _ = write!(
            svg,
            "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" data-plot=\"{} {} {} {}\" \
             data-x=\"{} {}{}\" data-y=\"{} {}{}\">",
            tenths(WIDTH),
            tenths(HEIGHT),
            escape(label),
            tenths(LEFT),
            tenths(RIGHT),
            tenths(TOP),
            tenths(BOTTOM),
            self.x.end,
            self.x.unit,
            self.x.suffix,
            self.y.end,
            self.y.unit,
            self.y.suffix,
        );
        self.grid(&mut svg);
        self.series.iter().for_each(|series| self.line(&mut svg, series));
        self.marks.iter().for_each(|mark| self.mark(&mut svg, mark));
        svg.push_str("</svg>");
        svg
    }

    /// The picture as a file of its own: with the style, a ground, and the legend below the axis.
    pub(super) fn document(&self, label: &str, style: &str) -> String {
        const ROW: i64 = 260;
        let svg = self.svg(label);
        let inner = svg.split_once('>').map_or("", |(_, inner)| inner).trim_end_matches("</svg>");
        let height = HEIGHT + ROW;
        let mut document = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n\
             <style>\n{style}text {{ font-family: system-ui, sans-serif; }}\n</style>\n<rect width=\"100%\" height=\"100%\" fill=\"var(--card)\"/>\n{inner}\n",
            tenths(WIDTH),
            tenths(height),
            escape(label),
        );
        let room = (RIGHT - LEFT) / (self.series.len().max(1) as i64);
        for (number, series) in (0..).zip(&self.series) {
            let (x, y) = (LEFT + room * number, height - 120);
            let _ = writeln!(
                document,
                "<path class=\"line t{}\" fill=\"none\" d=\"M{} {}h28\"/><text x=\"{}\" y=\"{}\">{}</text>",
                series.tone,
                tenths(x),
                tenths(y),
                tenths(x + 340),
                tenths(y + 45),
                escape(&series.name)
            );
        }
        document.push_str("</svg>\n");
        document
    }

    /// The legend, for more than one line.
    pub(super) fn legend(&self) -> String {
        let mut html = String::new();
        if self.series.len() > 1 {
            html.push_str("<ul class=\"legend\">");
            for series in &self.series {
                html.push_str(&legend_item(series.tone, &series.name));
            }
            html.push_str("</ul>");
        }
        html
    }

    fn grid(&self, svg: &mut String) {
        for (value, label) in self.y.ticks() {
            let y = self.y_of(value);
            let _ =
                write!(svg, "<path class=\"grid\" d=\"M{} {}H{}\"/>", tenths(LEFT), tenths(y), tenths(RIGHT));
            let _ = write!(
                svg,
                "<text class=\"end\" x=\"{}\" y=\"{}\">{label}</text>",
                tenths(LEFT - 70),
                tenths(y + 45)
            );
        }
        for (value, label) in self.x.ticks() {
            let x = self.x_of(value);
            let _ = write!(svg, "<path class=\"tick\" d=\"M{} {}v5\"/>", tenths(x), tenths(BOTTOM));
            let _ = write!(
                svg,
                "<text class=\"mid\" x=\"{}\" y=\"{}\">{label}</text>",
                tenths(x),
                tenths(BOTTOM + 210)
            );
        }
        let _ = write!(
            svg,
            "<path class=\"axis\" d=\"M{} {}H{}\"/>",
            tenths(LEFT),
            tenths(BOTTOM),
            tenths(RIGHT)
        );
        let (x, y) = (tenths((LEFT + RIGHT) / 2), tenths(HEIGHT - 50));
        let _ = write!(svg, "<text class=\"mid name\" x=\"{x}\" y=\"{y}\">{}</text>", escape(&self.x.title));
        let _ = write!(svg, "<text class=\"name\" x=\"2\" y=\"14\">{}</text>", escape(&self.y.title));
    }

    fn line(&self, svg: &mut String, series: &Series) {
        let (mut line, mut values) = (String::new(), String::new());
        let mut before: Option<(i64, i64)> = None;
        for &(x, value) in &series.points {
            let (x, y) = (self.x_of(x), self.y_of(value));
            match before {
                Some(same) if same == (x, y) => continue,
                Some((_, level)) if series.shape == Shape::Steps && level != y => {
                    let _ = write!(line, "{},{} ", tenths(x), tenths(level));
                }
                _ => {}
            }
            let _ = write!(line, "{},{} ", tenths(x), tenths(y));
            let _ = write!(values, "{} {value} ", tenths(x));
            before = Some((x, y));
        }
        let _ = write!(
            svg,
            "<polyline class=\"line t{}\" data-name=\"{}\" data-values=\"{}\" points=\"{}\"/>",
            series.tone,
            escape(&series.name),
            values.trim_end(),
            line.trim_end()
        );
    }

    fn mark(&self, svg: &mut String, mark: &Mark) {
        let x = self.x_of(mark.at);
        let right_half = x > (LEFT + RIGHT) / 2;
        let (class, text) = if right_half { ("end", x - 60) } else { ("start", x + 60) };
        let _ = write!(svg, "<path class=\"mark\" d=\"M{} {}V{}\"/>", tenths(x), tenths(TOP), tenths(BOTTOM));
        let _ = write!(
            svg,
            "<text class=\"{class} marked\" x=\"{}\" y=\"{}\">{}</text>",
            tenths(text),
            tenths(TOP + 200),
            escape(&mark.name)
        );
    }

    fn x_of(&self, value: u64) -> i64 {
        LEFT + self.x.place(value, RIGHT - LEFT)
    }

    fn y_of(&self, value: u64) -> i64 {
        BOTTOM - self.y.place(value, BOTTOM - TOP)
    }
}

/// A line of a legend: a piece of the line as it is drawn, and its name.
pub(super) fn legend_item(tone: usize, name: &str) -> String {
    format!(
        "<li><svg class=\"key\" viewBox=\"0 0 28 10\" aria-hidden=\"true\"><path class=\"line t{tone}\" d=\"M1 5H27\"/></svg>{}</li>",
        escape(name)
    )
}

/// A number of tenths with a point, where it needs one.
pub(super) fn tenths(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let number = number.unsigned_abs();
    match number % 10 {
        0 => format!("{sign}{}", number / 10),
        rest => format!("{sign}{}.{rest}", number / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates() {
        for (number, text) in [(0, "0"), (5, "0.5"), (-5, "-0.5"), (1234, "123.4"), (-1230, "-123")] {
            assert_eq!(tenths(number), text);
        }
    }

    #[test]
    fn steps_hold_until_the_next_point() {
        let (x, y) = (Axis::count("x", 4), Axis::count("y", 2));
        let series =
            |shape| Series { name: "a<b".into(), tone: 0, points: vec![(0, 0), (2, 1), (4, 2)], shape };
        let chart = Chart { x, y, series: vec![series(Shape::Line), series(Shape::Steps)], marks: vec![] };
        let svg = chart.svg("two & two");
        assert!(svg.contains("points=\"59,242 262.5,136.5 466,31\""), "{svg}");
        assert!(svg.contains("points=\"59,242 262.5,242 262.5,136.5 466,136.5 466,31\""), "{svg}");
        assert!(svg.contains("a&lt;b") && svg.contains("two &amp; two") && !svg.contains("a<b"));
        assert_eq!(chart.legend().matches("<li>").count(), 2);
    }
}
