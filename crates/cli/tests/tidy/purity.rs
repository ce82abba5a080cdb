//! Rules about the crates that must be deterministic: no clock, no platform arithmetic, no order of hashing.

use std::collections::BTreeSet;

use crate::crates::DETERMINISTIC;
use crate::source::{self, has_phrase, is_word};
use crate::verdict;

/// The crates that are `no_std`.
const NO_STD: [&str; 2] = ["metainfo", "protocol"];

#[test]
fn the_engine_and_the_formats_are_no_std_and_safe() {
    let mut findings = Vec::new();
    for name in NO_STD {
        let lib =
            source::of_crate(name).find(|source| source.path.ends_with("/src/lib.rs")).expect("a lib.rs");
        for attribute in ["#![no_std]", "#![forbid(unsafe_code)]"] {
            if !lib.production().any(|(_, line)| line.trim_end() == attribute) {
                findings.push(format!("{}: has no {attribute}", lib.path));
            }
        }
    }
    findings.extend(phrases(&NO_STD, &["std"]));
    verdict(
        findings,
        "`metainfo` and `protocol` use `core` and `alloc` only, so that nothing of the machine can leak in.",
    );
}

#[test]
fn deterministic_crates_read_no_clock() {
    let clocks = ["std::time", "Instant::now", "SystemTime", "thread::sleep"];
    verdict(
        phrases(&DETERMINISTIC, &clocks),
        "Time is handed in: take a `swarmlab_protocol::Instant` as an argument.",
    );
}

#[test]
fn decisions_use_no_floats() {
    let mut findings = phrases(&NO_STD, &["f32", "f64"]);
    for source in NO_STD.iter().flat_map(|name| source::of_crate(name)) {
        let lines = source.production().filter(|(_, line)| has_float_literal(line));
        findings.extend(lines.map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim())));
    }
    verdict(
        findings,
        "Floats round differently from machine to machine, and a rounding may turn a decision: use integers (rates in \
         bytes, shares in thousandths, times in microseconds).",
    );
}

#[test]
fn the_order_of_hashing_is_never_seen() {
    let mut findings = Vec::new();
    for source in DETERMINISTIC.iter().flat_map(|name| source::of_crate(name)) {
        let mut code = String::new();
        source.production().for_each(|(_, line)| code.push_str(line));
        findings.extend(iterations(&code).into_iter().map(|found| format!("{}: {found}", source.path)));
    }
    verdict(
        findings,
        "A hash table may be searched, never walked: the order in which it gives its entries is not a property of the \
         input. Keep the entries in a vector beside it, or use a BTreeMap.",
    );
}

/// The lines outside tests of these crates that have one of these phrases.
fn phrases(crates: &[&str], phrases: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in crates.iter().flat_map(|name| source::of_crate(name)) {
        for (number, line) in source.production() {
            if let Some(phrase) = phrases.iter().find(|phrase| has_phrase(line, phrase)) {
                findings.push(format!("{}:{number}: `{phrase}` in {}", source.path, line.trim()));
            }
        }
    }
    findings
}

/// A digit, a point and a digit, where that is not a field of a tuple in a tuple.
fn has_float_literal(line: &str) -> bool {
    let bytes = line.as_bytes();
    line.match_indices('.').any(|(at, _)| {
        let digit_after = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        let number = bytes[..at].iter().rposition(|&byte| !is_word(byte)).map_or(0, |before| before + 1);
        let begins_as_number = bytes[number..at].first().is_some_and(u8::is_ascii_digit);
        digit_after && begins_as_number && (number == 0 || bytes[number - 1] != b'.')
    })
}

/// Calls and loops that walk a name which is declared as a hash table in the same file.
fn iterations(code: &str) -> Vec<String> {
    const WALKS: [&str; 11] = [
        "iter",
        "iter_mut",
        "into_iter",
        "keys",
        "into_keys",
        "values",
        "values_mut",
        "into_values",
        "drain",
        "retain",
        "extract_if",
    ];
    const LOOPS: [&str; 6] = ["in ", "in &", "in &mut ", "in self.", "in &self.", "in &mut self."];
    let tables = ["HashMap", "HashSet", "HashTable"].iter().flat_map(|table| code.match_indices(table));
    let names: BTreeSet<&str> = tables.filter_map(|(at, _)| declared_name(&code[..at])).collect();
    let line = code.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".");
    let mut found = Vec::new();
    for name in names {
        let calls = WALKS.iter().map(|walk| format!("{name}.{walk}("));
        let loops = LOOPS.iter().map(|form| format!("{form}{name} {{"));
        found.extend(calls.chain(loops).filter(|form| has_phrase(&line, form)));
    }
    found
}

/// The name before a type (`name: &mut path::`) or a constructor (`name = path::`).
fn declared_name(mut before: &str) -> Option<&str> {
    while let Some(path) = before.strip_suffix("::") {
        before = path.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
    }
    let before = before.trim_end().trim_end_matches("mut").trim_end_matches([' ', '&']);
    let before = before.strip_suffix([':', '='])?.trim_end();
    let start = before.bytes().rposition(|byte| !is_word(byte)).map_or(0, |end| end + 1);
    Some(&before[start..]).filter(|name| !name.is_empty())
}

#[test]
fn walks_over_hash_tables_are_seen() {
    let declared = "struct A {\n    index: HashTable<u32>,\n}\n";
    assert!(iterations(&format!("{declared} self.index.find(hash, eq); self.entries.iter()")).is_empty());
    assert_eq!(iterations(&format!("{declared} self\n    .index\n    .iter()")), ["index.iter("]);
    assert_eq!(
        iterations("fn f(set: &mut std::collections::HashSet<u8>) { for x in &set { } }"),
        ["in &set {"]
    );
    assert_eq!(iterations("let mut seen = HashMap::new(); seen.values()"), ["seen.values("]);
    assert!(has_float_literal("let x = 1.5;") && !has_float_literal("self.0.1 + a.0.0 + (0..2) + 1.max(2)"));
}
