//! Rules about the crates: who may depend on whom, and what every manifest says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::source::{self, root};
use crate::verdict;

/// What each crate may depend on among ours. The same table, with the reasons, is in ARCHITECTURE.md.
pub(crate) const EDGES: [(&str, &[&str]); 9] = [
    ("metainfo", &[]),
    ("protocol", &["metainfo"]),
    ("trace", &["protocol"]),
    ("net", &["protocol", "metainfo", "trace"]),
    ("sim", &["protocol", "metainfo", "trace"]),
    ("experiments", &["sim", "protocol", "metainfo", "trace"]),
    ("web", &["trace", "protocol"]),
    ("testbed", &["experiments", "sim", "metainfo"]),
    ("cli", &["metainfo", "protocol", "trace", "net", "sim", "experiments", "testbed", "web"]),
];

/// What the pure crates may take from outside.
const OUTSIDE: [(&str, &[&str]); 2] =
    [("metainfo", &["sha1", "thiserror"]), ("protocol", &["hashbrown", "siphasher", "thiserror"])];

/// Crates that must give the same result on every machine and at every time, whoever drives them.
pub(crate) const DETERMINISTIC: [&str; 4] = ["metainfo", "protocol", "trace", "sim"];

/// What those may not reach, however far down: sockets, runtimes, entropy.
const IMPURE: [&str; 7] = ["tokio", "mio", "socket2", "async-io", "getrandom", "rand", "fastrand"];

struct Package {
    /// Its name without `swarmlab-`.
    name: String,
    metadata: Value,
}

impl Package {
    /// Names of what it depends on: in builds and build scripts, or in its tests.
    fn dependencies(&self, of_tests: bool) -> impl Iterator<Item = &str> {
        let dependencies = self.metadata["dependencies"].as_array().expect("a list");
        dependencies
            .iter()
            .filter(move |dependency| (dependency["kind"] == "dev") == of_tests)
            .map(|dependency| dependency["name"].as_str().expect("a name"))
    }

    /// The same among our own crates.
    fn ours(&self, of_tests: bool) -> impl Iterator<Item = &str> {
        self.dependencies(of_tests).filter_map(|name| name.strip_prefix("swarmlab-"))
    }
}

fn packages() -> Vec<Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("a list").iter();
    packages
        .map(|package| {
            let name = package["name"].as_str().expect("a name");
            let name =
                name.strip_prefix("swarmlab-").unwrap_or_else(|| panic!("{name}: begin it with swarmlab-"));
            Package { name: name.to_owned(), metadata: package.clone() }
        })
        .collect()
}

/// What `name` may depend on; nothing for one that is not in the table.
fn allowed(name: &str) -> &'static [&'static str] {
    EDGES.iter().find(|(from, _)| *from == name).map_or(&[], |(_, to)| to)
}

#[test]
fn crates_depend_only_downwards() {
    let mut findings = Vec::new();
    for package in packages() {
        if !EDGES.iter().any(|(name, _)| *name == package.name) {
            findings.push(format!("{} is not in the table", package.name));
        }
        let forbidden = package.ours(false).filter(|to| !allowed(&package.name).contains(to));
        findings.extend(forbidden.map(|to| format!("{} -> {to}", package.name)));
    }
    verdict(
        findings,
        "These edges between our crates are not in the table (ARCHITECTURE.md; EDGES in this file). Move the code to \
         the crate that may know both sides, or hand the thing in from outside.",
    );
}

#[test]
fn tests_of_a_crate_reach_no_further_than_the_crate() {
    let mut findings = Vec::new();
    for package in packages() {
        let forbidden = package.ours(true).filter(|to| !allowed(&package.name).contains(to));
        findings.extend(forbidden.map(|to| format!("{} -> {to} (dev-dependency)", package.name)));
    }
    verdict(
        findings,
        "A test that needs both crates belongs to one that may depend on both: at the latest `cli`.",
    );
}

#[test]
fn pure_crates_take_little_from_outside() {
    let mut findings = Vec::new();
    let packages = packages();
    for (name, may) in OUTSIDE {
        let package = packages.iter().find(|package| package.name == name).expect("a crate of the table");
        let others =
            package.dependencies(false).filter(|to| !to.starts_with("swarmlab-") && !may.contains(to));
        findings.extend(others.map(|to| format!("{name} -> {to}")));
    }
    verdict(
        findings,
        "`metainfo` and `protocol` stay small enough to be audited and run anywhere. Do without the crate, or add it \
         to OUTSIDE in this file with a review of what it brings.",
    );
}

#[test]
fn deterministic_crates_reach_no_runtime_and_no_entropy() {
    let lock = lock();
    let mut findings = Vec::new();
    for package in packages().iter().filter(|package| DETERMINISTIC.contains(&package.name.as_str())) {
        let mut queue: Vec<String> = package.dependencies(false).map(str::to_owned).collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = queue.pop() {
            // The lock file does not tell apart what our own crates need for tests only: the rule looks at each of
            // them by itself.
            if name.starts_with("swarmlab-") || !seen.insert(name.clone()) {
                continue;
            }
            if IMPURE.contains(&name.as_str()) {
                findings.push(format!("{} reaches {name}", package.name));
            }
            queue.extend(lock.get(&name).into_iter().flatten().cloned());
        }
    }
    verdict(
        findings,
        "Time, randomness and I/O are handed in by the driver; these crates must not fetch them.",
    );
}

/// What each package of the lock file needs.
fn lock() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(root().join("Cargo.lock")).expect("a lock file");
    let mut lock: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in text.split("[[package]]").skip(1) {
        let mut lines = package.lines();
        let name =
            lines.find_map(|line| line.strip_prefix("name = \"")).expect("a name").trim_end_matches('"');
        let needs = lines
            .filter_map(|line| line.strip_prefix(" \""))
            .filter_map(|line| line.split(['"', ' ']).next());
        lock.entry(name.to_owned()).or_default().extend(needs.map(str::to_owned));
    }
    assert!(lock.len() > 10, "the lock file was not understood");
    lock
}

#[test]
fn manifests_inherit_from_the_workspace() {
    let mut findings = Vec::new();
    let mut descriptions = BTreeSet::new();
    for package in packages() {
        let path = format!("crates/{}/Cargo.toml", package.name);
        let manifest = source::tree().iter().find(|source| source.path == path);
        let manifest =
            &manifest.unwrap_or_else(|| panic!("{path}: the directory is named after the crate")).text;
        let inherited = ["version", "edition", "rust-version", "license", "publish"];
        let mut needed: Vec<String> = inherited.iter().map(|key| format!("{key}.workspace = true")).collect();
        needed.push("[lints]\nworkspace = true".to_owned());
        let missing = needed.into_iter().filter(|lines| !manifest.contains(lines.as_str()));
        findings.extend(missing.map(|lines| format!("{path}: has no `{}`", lines.replace('\n', " "))));
        match package.metadata["description"].as_str() {
            Some(text) if text.len() > 10 && descriptions.insert(text.to_owned()) => {}
            _ => findings.push(format!("{path}: has no `description` of its own")),
        }
        if package.metadata["license"] != "MIT OR Apache-2.0" {
            findings.push(format!("{path}: is not under the licence of the workspace"));
        }
    }
    verdict(
        findings,
        "Each crate takes version, edition, licence and lints from the workspace and says what it is.",
    );
}
