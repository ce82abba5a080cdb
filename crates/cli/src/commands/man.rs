//! `swarmlab man`: the manual page, from the same definitions as the parser and the help.

use std::io;

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, bold, roman};

use crate::args::Cli;
use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;

/// Print the manual page: swarmlab man | man -l -
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab man | man -l -
  swarmlab man > /usr/local/share/man/man1/swarmlab.1")]
pub struct Man {}

impl Man {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let mut page = Vec::new();
        write_page(&mut page).map_err(|error| Error::failed("cannot make the manual page").because(error))?;
        env.print(&page)?;
        Ok(Exit::Done)
    }
}

/// One page for the program: its options, then a section for each command, then the exit statuses.
fn write_page(out: &mut Vec<u8>) -> io::Result<()> {
    let mut program = Cli::command();
    program.build();
    // The exit statuses get a section of their own.
    let top = Page::new(program.clone().after_long_help("").after_help(""));
    top.render_title(out)?;
    top.render_name_section(out)?;
    top.render_synopsis_section(out)?;
    top.render_description_section(out)?;
    top.render_options_section(out)?;
    for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
        write_command(command, out)?;
    }
    write_exit_statuses(out)?;
    top.render_version_section(out)
}

fn write_command(command: &Command, out: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut heading = Roff::default();
    heading.control("SH", [name.to_uppercase().as_str()]);
    heading.to_writer(out)?;
    let page = Page::new(without_globals(command));
    let mut body = Vec::new();
    page.render_synopsis_section(&mut body)?;
    page.render_description_section(&mut body)?;
    page.render_options_section(&mut body)?;
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        write_subcommand(command, &mut body)?;
    }
    page.render_extra_section(&mut body)?;
    // Inside the section of a command, its own sections are subsections.
    let body = String::from_utf8_lossy(&body);
    for line in body.lines() {
        let line = line.strip_prefix(".SH ").map_or_else(|| line.to_owned(), |title| format!(".SS {title}"));
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    Ok(())
}

/// A command of a command: a subsection under its full name, with its options below.
fn write_subcommand(command: &Command, out: &mut Vec<u8>) -> io::Result<()> {
    let mut heading = Roff::default();
    heading.control("SH", [command.get_bin_name().unwrap_or_else(|| command.get_name())]);
    heading.to_writer(out)?;
    let page = Page::new(without_globals(command));
    let mut body = Vec::new();
    page.render_synopsis_section(&mut body)?;
    page.render_description_section(&mut body)?;
    page.render_options_section(&mut body)?;
    let body = String::from_utf8_lossy(&body);
    for line in body.lines() {
        let line = if line.starts_with(".SH ") { ".PP" } else { line };
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    Ok(())
}

/// The command without what every command takes, which is said once, at the top.
fn without_globals(command: &Command) -> Command {
    let globals = ["color", "quiet", "verbose", "help"];
    globals
        .iter()
        .fold(command.clone(), |command, global| command.mut_arg(global, |argument| argument.hide(true)))
}

fn write_exit_statuses(out: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::default();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in Exit::TABLE {
        roff.control("TP", []);
        roff.text([bold(code.to_string())]);
        roff.text([roman(meaning)]);
    }
    roff.to_writer(out)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use crate::args::Cli;
    use crate::exit::Exit;
    use crate::testing::run;

    /// The page as a reader sees it: no escapes for dashes and fonts.
    fn page() -> String {
        let outcome = run(&["man"]);
        assert_eq!(outcome.status, 0);
        ["\\fB", "\\fI", "\\fR"]
            .iter()
            .fold(outcome.stdout, |page, font| page.replace(font, ""))
            .replace("\\-", "-")
    }

    #[test]
    fn every_command_and_flag_is_in_the_page() {
        let page = page();
        let mut program = Cli::command();
        program.build();
        let globals: Vec<_> = program.get_arguments().map(|argument| argument.get_id().clone()).collect();
        check(&page, program.get_arguments());
        for command in program.get_subcommands() {
            let heading = format!(".SH \"SWARMLAB {}\"", command.get_name().to_uppercase());
            let start = page.find(&heading).unwrap_or_else(|| panic!("{heading} is missing:\n{page}"));
            let end = page[start + 1..].find("\n.SH ").map_or(page.len(), |end| start + 1 + end);
            let own = command.get_arguments().filter(|argument| !globals.contains(argument.get_id()));
            let section = &page[start..end];
            check(section, own);
            for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
                let name = command.get_bin_name().expect("a full name");
                let from =
                    section.find(&format!(".SS \"{name}\"")).unwrap_or_else(|| panic!("{name}:\n{section}"));
                let to = section[from + 1..].find("\n.SS ").map_or(section.len(), |end| from + 1 + end);
                let own = command.get_arguments().filter(|argument| !globals.contains(argument.get_id()));
                check(&section[from..to], own);
            }
        }
    }

    #[track_caller]
    fn check<'a>(section: &str, arguments: impl Iterator<Item = &'a clap::Arg>) {
        for argument in arguments.filter(|argument| !argument.is_hide_set()) {
            let shown = match (argument.get_long(), argument.get_value_names()) {
                (Some(long), _) => format!("--{long}"),
                (None, Some(names)) => names[0].to_string(),
                (None, None) => argument.get_id().to_string(),
            };
            assert!(section.contains(&shown), "{shown} is missing in\n{section}");
            if let Some(short) = argument.get_short() {
                assert!(section.contains(&format!("-{short}")), "-{short} is missing in\n{section}");
            }
        }
    }

    #[test]
    fn exit_statuses_are_in_the_page() {
        let page = page();
        let section = &page[page.find(".SH \"EXIT STATUS\"").expect("a section")..];
        for (code, meaning) in Exit::TABLE {
            assert!(section.contains(&format!("\n{code}\n{meaning}\n")), "{code} {meaning}:\n{section}");
        }
    }
}
