//! Rules about what is written for readers: modules, README, CHANGELOG, ARCHITECTURE.

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use swarmlab_cli::args::Cli;

use crate::crates::EDGES;
use crate::source::{self, root};
use crate::verdict;

fn document(name: &str) -> &'static str {
    let found = source::tree().iter().find(|source| source.path == name);
    &found.unwrap_or_else(|| panic!("the root has no {name}")).text
}

#[test]
fn every_module_says_what_it_is() {
    let silent = source::tree().iter().filter(|source| {
        source.is_rust()
            && source.path.starts_with("crates/")
            && !source.is_test_module()
            && !source.text.starts_with("//! ")
    });
    verdict(
        silent.map(|source| source.path.clone()).collect(),
        "A file opens with a `//!` paragraph: what it owns, what it refuses.",
    );
}

#[test]
fn readme_names_every_command() {
    let readme = document("README.md");
    let program = Cli::command();
    let missing = program
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(|command| format!("swarmlab {}", command.get_name()))
        .filter(|command| !source::has_phrase(readme, command));
    verdict(missing.collect(), "Add a line with an example to the list of commands in README.md.");
}

#[test]
fn changelog_has_a_place_for_what_comes() {
    let changelog = document("CHANGELOG.md");
    let unreleased: Vec<_> = changelog.lines().filter(|line| line.starts_with("## ")).take(1).collect();
    assert_eq!(
        unreleased,
        ["## Unreleased"],
        "the first section of CHANGELOG.md is `## Unreleased`: what users will see of a change is written there with it"
    );
}

#[test]
fn documents_name_only_what_exists() {
    let mut findings = Vec::new();
    for source in source::tree().iter().filter(|source| source.path.ends_with(".md")) {
        let dir = source.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        for (number, line) in source.text.lines().enumerate() {
            let quoted = line
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|name| is_place(name))
                .map(|name| root().join(name));
            let linked = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
            let linked = linked.filter(|target| !target.is_empty() && !target.contains(':'));
            let linked = linked.map(|target| root().join(dir).join(target));
            for place in quoted.chain(linked).filter(|place| !place.exists()) {
                let place = place.strip_prefix(root()).unwrap_or(&place).display().to_string();
                findings.push(format!("{}:{}: there is no {place}", source.path, number + 1));
            }
        }
    }
    verdict(findings, "A document speaks of the tree as it is: follow the move, or drop the sentence.");
}

#[test]
fn architecture_maps_every_module() {
    let architecture = document("ARCHITECTURE.md");
    assert!(
        architecture.lines().count() < 300,
        "ARCHITECTURE.md stays below 300 lines: details belong into modules"
    );
    let mut findings = Vec::new();
    for name in existing_crates() {
        let Some((_, section)) = architecture.split_once(&format!("\n### `crates/{name}`\n")) else {
            findings.push(format!("no section for `crates/{name}`"));
            continue;
        };
        let section = section.split("\n##").next().unwrap_or(section);
        let items = section.lines().filter_map(|line| line.strip_prefix("- ")?.split_once(':'));
        let mapped: BTreeSet<&str> =
            items.flat_map(|(names, _)| names.split('`').skip(1).step_by(2)).collect();
        let modules = modules(name);
        findings.extend(
            modules.difference(&mapped).map(|module| format!("crates/{name}: `{module}` is not there")),
        );
        findings.extend(
            mapped.difference(&modules).map(|module| format!("crates/{name} has no module `{module}`")),
        );
    }
    verdict(
        findings,
        "ARCHITECTURE.md has an item for each top-level module of each crate: `name`: what it owns.",
    );
}

#[test]
fn architecture_shows_the_edges() {
    let existing = existing_crates();
    let rows: BTreeSet<(String, String)> = document("ARCHITECTURE.md")
        .lines()
        .skip_while(|line| !line.starts_with("| crate | may depend on |"))
        .skip(2)
        .map_while(|line| line.strip_prefix("| "))
        .filter_map(|row| {
            let mut cells = row.split(" | ");
            Some((cells.next()?.to_owned(), cells.next()?.to_owned()))
        })
        .collect();
    let held = EDGES.iter().filter(|(name, _)| existing.contains(name)).map(|(name, to)| {
        let to: BTreeSet<&str> = to.iter().copied().filter(|to| existing.contains(to)).collect();
        let to = if to.is_empty() { "-".to_owned() } else { to.into_iter().collect::<Vec<_>>().join(", ") };
        ((*name).to_owned(), to)
    });
    let held: BTreeSet<_> = held.collect();
    let differences = rows.symmetric_difference(&held).map(|(name, to)| format!("{name} | {to}")).collect();
    verdict(
        differences,
        "The table in ARCHITECTURE.md and EDGES in crates.rs say the same, names in the alphabet's order.",
    );
}

/// The crates of the table that are there.
fn existing_crates() -> BTreeSet<&'static str> {
    EDGES.iter().map(|(name, _)| *name).filter(|name| source::of_crate(name).next().is_some()).collect()
}

/// The top-level modules of a crate.
fn modules(name: &str) -> BTreeSet<&'static str> {
    let paths = source::of_crate(name).filter_map(|source| source.path.split("/src/").nth(1));
    let modules = paths.filter_map(|path| path.split(['/', '.']).next());
    modules.filter(|module| !["lib", "main"].contains(module)).collect()
}

/// Whether a quoted word is a place in this tree, written in full: a part in capitals stands for any name.
fn is_place(name: &str) -> bool {
    let top = ["crates/", "fuzz/", "docs/", "scripts/", "web-ui/", ".ci/"];
    let stands_for_any = |part: &str| part.len() > 1 && part.chars().all(|c| c.is_ascii_uppercase());
    top.iter().any(|top| name.starts_with(top))
        && !name.contains(['*', '{', ' ', '<'])
        && !name.split('/').any(stands_for_any)
}
