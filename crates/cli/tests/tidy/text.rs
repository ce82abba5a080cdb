//! Rules about the text of files: their length, their marks, their blanks.

use crate::source;
use crate::verdict;

/// Lines a file may have, its tests not counted.
const LONGEST_FILE: usize = 500;

#[test]
fn files_stay_short() {
    let mut findings: Vec<(usize, &str)> = source::tree()
        .iter()
        .filter(|source| source.is_rust() || source.path.ends_with(".ts"))
        .map(|source| (source.production_len(), source.path.as_str()))
        .filter(|(len, _)| *len > LONGEST_FILE)
        .collect();
    findings.sort_unstable_by(|one, other| other.cmp(one));
    verdict(
        findings.into_iter().map(|(len, path)| format!("{path}: {len} lines without its tests")).collect(),
        "One idea per file, and no file over 500 lines: find the second idea in it and give it a file of its own.",
    );
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("HA", "CK"),
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("#[ig", "nore"),
        concat!("db", "g!("),
    ];
    verdict(
        lines_with(|line| marks.iter().copied().find(|mark| source::has_phrase(line, mark))),
        "What is missing belongs in an issue, what is broken gets fixed, and a test either runs or does not exist.",
    );
}

#[test]
fn no_path_of_one_machine() {
    let places = [
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
        concat!("/wo", "rk/"),
        concat!(r"C:\Us", "ers"),
        concat!("/mn", "t/"),
    ];
    verdict(
        lines_with(|line| places.iter().copied().find(|place| line.contains(place))),
        "The tree builds and runs anywhere: take paths from arguments, the environment or a temporary directory.",
    );
}

#[test]
fn blanks_are_spaces_and_stand_between_words() {
    let mut findings = lines_with(|line| match line {
        _ if line.ends_with([' ', '\t']) => Some("ends with a blank"),
        _ if line.contains('\r') => Some("has a carriage return"),
        _ if line.contains('\t') => Some("has a tab"),
        _ => None,
    });
    let unended =
        source::tree().iter().filter(|source| !source.text.is_empty() && !source.text.ends_with('\n'));
    findings.extend(unended.map(|source| format!("{}: its last line does not end", source.path)));
    verdict(
        findings,
        "cargo fmt does this for Rust outside of comments and literals; the editor for the rest.",
    );
}

/// The lines of the tree that this has something to say about.
fn lines_with(judge: impl Fn(&str) -> Option<&'static str>) -> Vec<String> {
    let mut findings = Vec::new();
    for source in source::tree() {
        // Not `lines`, which hides carriage returns.
        for (number, line) in source.text.split('\n').enumerate() {
            findings.extend(judge(line).map(|what| format!("{}:{}: {what}", source.path, number + 1)));
        }
    }
    findings
}
