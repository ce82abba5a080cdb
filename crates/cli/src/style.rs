//! Colours: which words of the output get which style, and whether styles are printed at all.

use std::fmt;

use anstyle::{AnsiColor, Effects, Style};

/// `--color`: whether output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// Where the stream is a terminal and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// Whether a stream that is (or is not) a terminal gets colours. `NO_COLOR` counts when set and not empty
    /// (no-color.org), and gives way to an explicit `--color always`.
    pub fn applies(self, terminal: bool) -> bool {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self {
            ColorChoice::Auto => terminal && !no_color,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        }
    }
}

/// The styles of one stream: each method dresses a value, or leaves it plain where colours are off.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    on: bool,
}

/// A value with a style around it.
#[derive(Clone, Copy, Debug)]
pub struct Painted<T> {
    style: Style,
    value: T,
}

impl Palette {
    /// Styles that are printed, or not.
    pub const fn new(on: bool) -> Palette {
        Palette { on }
    }

    /// Whether styles are printed.
    pub const fn is_on(self) -> bool {
        self.on
    }

    /// A value in this style.
    pub fn paint<T>(self, style: Style, value: T) -> Painted<T> {
        Painted { style: if self.on { style } else { Style::new() }, value }
    }

    /// Headings and results.
    pub fn bold<T>(self, value: T) -> Painted<T> {
        self.paint(Style::new().effects(Effects::BOLD), value)
    }

    /// Secondary text.
    pub fn dim<T>(self, value: T) -> Painted<T> {
        self.paint(Style::new().effects(Effects::DIMMED), value)
    }

    /// Success.
    pub fn good<T>(self, value: T) -> Painted<T> {
        self.paint(AnsiColor::Green.on_default(), value)
    }

    /// Failure.
    pub fn bad<T>(self, value: T) -> Painted<T> {
        self.paint(AnsiColor::Red.on_default().effects(Effects::BOLD), value)
    }

    /// Warnings.
    pub fn warn<T>(self, value: T) -> Painted<T> {
        self.paint(AnsiColor::Yellow.on_default().effects(Effects::BOLD), value)
    }

    /// Things to copy or to type: hashes, links, commands.
    pub fn code<T>(self, value: T) -> Painted<T> {
        self.paint(AnsiColor::Cyan.on_default(), value)
    }
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    /// Width and alignment apply to the value, not to the invisible bytes around it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.style.render())?;
        self.value.fmt(f)?;
        write!(f, "{}", self.style.render_reset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_palette_prints_no_escape() {
        assert_eq!(Palette::new(false).bad("x").to_string(), "x");
    }

    #[test]
    fn padding_ignores_the_escapes() {
        assert_eq!(format!("[{:>3}]", Palette::new(true).good("x")), "[\u{1b}[32m  x\u{1b}[0m]");
    }
}
