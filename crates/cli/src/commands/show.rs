//! `swarmlab show`: what a torrent says.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use swarmlab_experiments::units::{show_exact, show_size};
use swarmlab_metainfo::{Magnet, Metainfo};

use crate::env::{Env, Guard};
use crate::error::Error;
use crate::exit::Exit;
use crate::style::Palette;
use crate::text::{Utc, count, printable};
use crate::torrent::{self, Summary};

/// Show what is in a torrent
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab show debian.torrent
  swarmlab show --json debian.torrent | jq -r .info_hash")]
pub struct Show {
    /// The torrent
    #[arg(value_name = "TORRENT", value_hint = ValueHint::FilePath)]
    torrent: PathBuf,
    /// Print one JSON document (schema show/1)
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let torrent = torrent::load(env, &self.torrent)?;
        if self.json {
            env.json("show/1", &Summary::of(&torrent))?;
        } else {
            print(&mut env.out(), env.out_style(), &torrent)?;
        }
        Ok(Exit::Done)
    }
}

fn print(out: &mut Guard<'_>, style: Palette, torrent: &Metainfo) -> Result<(), Error> {
    out.line(style.bold(printable(torrent.name())))?;
    for (name, value) in facts(torrent) {
        let value = match name {
            "info hash" | "magnet" => style.code(value).to_string(),
            _ => value,
        };
        out.line(format_args!("  {} {value}", style.dim(format_args!("{name:<11}"))))?;
    }
    if torrent.is_multi_file() {
        out.line(style.bold(count(torrent.files().len(), "file")))?;
        for file in torrent.files() {
            let pad = if file.pad { style.dim("  (padding)").to_string() } else { String::new() };
            out.line(format_args!(
                "  {:>10}  {}{pad}",
                show_size(file.length),
                printable(&file.display_path())
            ))?;
        }
    }
    Ok(())
}

/// Name and value of each line; a name that is empty continues the one before.
fn facts(torrent: &Metainfo) -> Vec<(&'static str, String)> {
    let layout = torrent.layout();
    let mut facts = vec![
        ("info hash", torrent.info_hash().to_string()),
        ("size", show_exact(torrent.length())),
        ("pieces", format!("{} of {}", layout.piece_count(), piece_length(layout.piece_length()))),
    ];
    if torrent.is_hybrid() {
        facts.push(("version", "v1 and v2 (hybrid), read as v1".to_owned()));
    }
    if torrent.is_private() {
        facts.push(("private", "yes: peers come from its trackers only".to_owned()));
    }
    let tiers = torrent.tiers();
    for (number, tier) in tiers.iter().enumerate() {
        let tier = printable(&tier.join(", "));
        let text = if tiers.len() > 1 { format!("{}. {tier}", number + 1) } else { tier };
        facts.push((if number == 0 { "tracker" } else { "" }, text));
    }
    for (number, url) in torrent.web_seeds().iter().enumerate() {
        facts.push((if number == 0 { "web seed" } else { "" }, printable(url)));
    }
    if let Some(comment) = torrent.comment() {
        facts.push(("comment", printable(comment)));
    }
    let date = torrent.creation_date().map(|date| Utc(date).to_string());
    let program = torrent.created_by().map(|program| format!("by {}", printable(program)));
    if date.is_some() || program.is_some() {
        let created: Vec<String> = date.into_iter().chain(program).collect();
        facts.push(("created", created.join(" ")));
    }
    facts.push(("magnet", printable(&Magnet::from(torrent).to_string())));
    facts
}

/// Almost every piece length is a power of two and short in words; another one is told to the byte.
fn piece_length(bytes: u32) -> String {
    if bytes.is_power_of_two() { show_size(bytes.into()) } else { show_exact(bytes.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_piece_length_is_not_rounded() {
        assert_eq!(piece_length(16_384), "16 KiB");
        assert_eq!(piece_length(16_385), "16 KiB (16,385 bytes)");
    }
}
