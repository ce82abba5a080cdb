//! The top of the command line: the options every command takes, and the list of commands.

use std::ffi::OsString;

use clap::builder::styling::{AnsiColor, Effects, Styles};
use clap::{ArgAction, Args, Parser};

use crate::commands::Command;
use crate::exit::Exit;
use crate::style::ColorChoice;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default());

/// A BitTorrent laboratory and toolkit: watch real swarms, move files, look at every byte
#[derive(Debug, Parser)]
#[command(
    name = "swarmlab",
    version,
    styles = STYLES,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "Try: swarmlab create PATH    and then: swarmlab show NAME.torrent\n\
                  Each command explains itself: swarmlab COMMAND --help",
    after_long_help = after_long_help(),
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The options that every command takes.
#[derive(Clone, Debug, Default, Args)]
pub struct Global {
    /// Colour the output
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "auto|always|never",
        hide_possible_values = true,
        default_value_t,
        help_heading = "Output"
    )]
    pub color: ColorChoice,
    /// No progress and no notes, only the result, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Log what happens to stderr; -vv logs every message
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
}

fn after_long_help() -> String {
    let mut text = String::from("Exit status:\n");
    for (code, meaning) in Exit::TABLE {
        text.push_str(&format!("  {code:>3}  {meaning}\n"));
    }
    text.push_str(
        "\nSizes are written 16 KiB or 700 MB, rates 10 MB/s or 80 Mbit/s, times 30 s or 5 min.\n\n\
         Try: swarmlab create PATH    and then: swarmlab show NAME.torrent\n\
         Each command explains itself: swarmlab COMMAND --help",
    );
    text
}

/// The colour choice for help and usage errors, which clap prints before it has parsed anything.
pub(crate) fn color_in(args: &[OsString]) -> clap::ColorChoice {
    let mut words = args.iter().filter_map(|arg| arg.to_str());
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--color") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => continue,
        };
        return match value {
            Some("always") => clap::ColorChoice::Always,
            Some("never") => clap::ColorChoice::Never,
            _ => clap::ColorChoice::Auto,
        };
    }
    clap::ColorChoice::Auto
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_stands_below_the_flags_fits_a_terminal_of_100_columns() {
        for command in Cli::command().get_subcommands() {
            let text = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap_or_default();
            assert!(widest.chars().count() <= 100, "{}: {widest}", command.get_name());
        }
    }

    #[test]
    fn colour_of_help_follows_the_flag() {
        let choice = |args: &[&str]| color_in(&args.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(choice(&["swarmlab", "--color", "never", "--help"]), clap::ColorChoice::Never);
        assert_eq!(choice(&["swarmlab", "--color=always"]), clap::ColorChoice::Always);
        assert_eq!(choice(&["swarmlab", "--help"]), clap::ColorChoice::Auto);
    }
}
