//! `lesson`: every lesson can be given, and the pages of the book say what the lessons say today.

use std::fs;
use std::path::{Path, PathBuf};

use crate::program::run;

/// The names of all lessons, in the order of the course.
fn names() -> Vec<String> {
    let list = run(Path::new("."), &["lesson", "list", "--json"]).document("lesson-list/1");
    let lessons = list["lessons"].as_array().expect("a list");
    lessons.iter().map(|lesson| lesson["name"].as_str().expect("a name").to_owned()).collect()
}

fn book() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "docs"].iter().collect()
}

#[test]
fn the_book_has_a_page_and_a_picture_of_each_lesson_with_its_numbers() {
    let summary = fs::read_to_string(book().join("SUMMARY.md")).expect("the summary of the book");
    let names = names();
    assert!(names.len() >= 14, "{names:?}");
    for name in names {
        assert!(summary.contains(&format!("(lessons/{name}.md)")), "docs/SUMMARY.md leads to lesson {name}");
        assert!(
            book().join(format!("lessons/{name}.png")).is_file(),
            "scripts/book/make draws lesson {name}"
        );
        let page = fs::read_to_string(book().join(format!("lessons/{name}.md"))).unwrap_or_default();
        let taught = run(Path::new("."), &["lesson", "show", &name, "--markdown"]);
        assert!(
            page == taught.done(),
            "docs/lessons/{name}.md is not what the lesson says now: run scripts/book/make"
        );
    }
}

#[test]
fn a_lesson_is_told_in_the_terminal_with_the_bytes_of_its_run() {
    let taught = run(Path::new("."), &["lesson", "show", "handshake"]);
    let told = taught.done();
    for part in ["68 bytes", "BitTorrent protocol", "Where to look", "The answer", "lesson show choke"] {
        assert!(told.contains(part), "{part} is in\n{told}");
    }
}

#[test]
fn a_misspelt_lesson_is_answered_with_the_nearest() {
    run(Path::new("."), &["lesson", "show", "handshaek"]).refused(2, &["handshaek", "handshake"]);
}
