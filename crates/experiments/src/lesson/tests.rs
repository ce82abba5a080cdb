//! Every lesson that comes with the program is given once, and what a lesson cannot be is refused.

use super::*;

#[test]
fn lessons_fit_their_runs() {
    let mut findings = Vec::new();
    for name in names() {
        let Some(lesson) = find(name) else {
            findings.push(format!("{name} cannot be read"));
            continue;
        };
        assert_eq!(lesson.name, name, "the file is named after its lesson");
        if let Some(next) = &lesson.next {
            assert!(names().any(|name| name == next), "{name}: there is no lesson {next}");
        }
        match lesson.teach() {
            Ok(taught) => findings.extend(flaws(&taught).into_iter().map(|flaw| format!("{name}: {flaw}"))),
            Err(error) => findings.push(format!("{name}: {error}: {error:?}")),
        }
    }
    assert!(findings.is_empty(), "{findings:#?}");
}

/// What a page could not show, or nobody would understand.
fn flaws(taught: &Taught) -> Vec<String> {
    let looks = taught.page["look"].as_array().expect("a list");
    let times: Vec<u64> = looks.iter().map(|look| look["at_us"].as_u64().expect("a time")).collect();
    let texts = ["title", "question", "answer"].map(|key| taught.page[key].as_str().expect("a text"));
    let mut flaws = Vec::new();
    if !times.is_sorted() {
        flaws.push(format!("places to look at are in the order of the run, not {times:?}"));
    }
    if texts.iter().any(|text| text.is_empty() || text.contains(['{', '}'])) {
        flaws.push(format!("a text has a hole: {texts:?}"));
    }
    // What a page can take without a thought.
    if taught.trace.len() > 32 << 20 {
        flaws.push(format!("a trace of {} bytes", taught.trace.len()));
    }
    flaws
}

#[test]
fn a_lesson_is_given_the_same_way_every_time() {
    let one = find("rarest-first").unwrap().teach().unwrap();
    let other = find("rarest-first").unwrap().teach().unwrap();
    assert_eq!(one.page, other.page);
    assert!(one.trace == other.trace);
}

const SMALL: &str = r#"
schema = "lesson/1"
name = "small"
title = "Small"
question = "Who?"
answer = "{leecher.completed}"
scenario = """
schema = 'scenario/1'
name = 'small'
content = { size = '256 KiB', piece_length = '64 KiB' }
group = [{ name = 'origin', role = 'seed', up = '10 Mbit/s' }, { name = 'leecher', role = 'leecher', up = '1 Mbit/s' }]
"""
"#;

/// A lesson of two peers, with these lines.
fn lesson(lines: &str) -> Lesson {
    Lesson::parse(&format!("{SMALL}{lines}")).unwrap()
}

#[test]
fn moments_are_found_by_what_happens() {
    let look = |at: &str, text: &str| {
        let taught = lesson(&format!("[[look]]\nat = {at}\ntext = '{text}'\nselect = 'peer:{{node}}'"))
            .teach()
            .unwrap();
        taught.page["look"][0].clone()
    };
    let unchoke =
        look("{ kind = 'unchoked', group = 'origin', remote_group = 'leecher' }", "{node} {remote}");
    assert_eq!((&unchoke["text"], &unchoke["select"]), (&"0 1".into(), &"peer:0".into()));
    let first = look("{ kind = 'verified', reason = 'good' }", "piece {piece}");
    let second = look("{ kind = 'verified', nth = 2 }", "piece {piece}");
    let last = look("{ kind = 'verified', last = true }", "piece {piece}");
    let time = |look: &serde_json::Value| look["at_us"].as_u64().unwrap();
    assert!(time(&unchoke) < time(&first) && time(&first) < time(&second) && time(&second) < time(&last));
    let done = look("{ kind = 'completed' }", "at {time}");
    assert!(time(&done) >= time(&last));
    let asked = look("{ kind = 'sent', message = 'request', node = 1, remote = 0 }", "{piece}");
    assert!(time(&asked) < time(&first));
    let time_alone = lesson("[[look]]\nat = { after = '250 ms' }\ntext = 'at {time}'").teach().unwrap();
    assert_eq!(time_alone.page["look"][0]["text"], "at 250 ms");
    assert_eq!(time(&time_alone.page["look"][0]), 250_000);
}

#[test]
fn pictures_are_bytes_of_the_run() {
    let kinds = ["torrent", "request", "reply", "handshake", "participants"];
    let lines: String = kinds.iter().map(|kind| format!("[[picture]]\nkind = '{kind}'\n")).collect();
    let taught = lesson(&format!("{lines}[[picture]]\nkind = 'bencode'\nbytes = '5:hello'")).teach().unwrap();
    let pictures = taught.page["pictures"].as_array().unwrap();
    let begins = |at: usize, key: &str, text: &str| {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(pictures[at][key].as_str().unwrap().starts_with(&hex), "{}", pictures[at]);
    };
    begins(0, "bytes_hex", "d8:announce");
    begins(1, "text_hex", "GET /announce?info_hash=");
    begins(2, "bytes_hex", "d8:");
    begins(3, "bytes_hex", "\u{13}BitTorrent protocol");
    assert_eq!(pictures[3]["bytes_hex"].as_str().unwrap().len(), 2 * 68);
    assert_eq!(pictures[4]["kind"], "participants");
    begins(5, "bytes_hex", "5:hello");
}

#[test]
fn lines_of_the_file_are_no_lines_of_the_text() {
    assert_eq!(paragraphs("\nOne\ntwo  three.\n\nFour\n"), "One two three.\n\nFour");
}

#[test]
fn what_does_not_fit_its_run_is_told() {
    let refused = |lines: &str| lesson(lines).teach().unwrap_err().to_string();
    let never = refused("[[look]]\ntext = 'x'\nat = { kind = 'choked', reason = 'snubbed' }");
    assert_eq!(never, "look 1: what it asks for does not happen in the run");
    let unit = refused("[[look]]\ntext = 'x'\nat = { after = '12' }");
    assert!(unit.contains("\"12\""), "{unit}");
    let set = refused("[[other]]\nname = 'x'\nset = ['client.pikcer=random']");
    assert!(set.contains("pikcer") && set.contains("picker"), "{set}");
    let hole = lesson("[[look]]\nat = { kind = 'completed' }\ntext = '{leecher.tyme}'").teach().unwrap_err();
    assert!(matches!(hole, TeachError::Answer(AnswerError::Path(_))), "{hole:?}");
    let unknown = Lesson::parse("schema = 'lesson/1'\nnaem = 'x'").unwrap_err();
    assert!(unknown.contains("naem"), "{unknown}");
}
