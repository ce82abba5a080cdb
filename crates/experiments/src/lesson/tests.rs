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

/// What the answer of a lesson comes down to, as bounds on numbers of its own runs. A lesson whose text says what its run does not
/// show is worse than none.
const CLAIMS: [(&str, &str, f64, f64); 26] = [
    ("choke", "{slow.time.mean / fast.time.mean}", 1.3, 99.0),
    ("choke", "{fast.uploaded / slow.uploaded}", 2.0, 99.0),
    ("endgame", "{leecher.completed / leecher.count}", 1.0, 1.0),
    ("endgame", "{patient.leecher.time.mean / leecher.time.mean}", 1.2, 99.0),
    ("endgame", "{wasted_share}", 0.0, 5.0),
    ("flash-crowd", "{efficiency}", 75.0, 100.0),
    ("flash-crowd", "{crowd.uploaded / seed.uploaded}", 10.0, 99.0),
    ("flash-crowd", "{double.crowd.time.max / crowd.time.max}", 0.5, 1.5),
    ("last-piece", "{random.newcomers.time.mean / newcomers.time.mean}", 1.05, 99.0),
    ("last-piece", "{newcomers.time.mean / bound_seconds}", 1.0, 99.0),
    ("participants", "{leech.uploaded / peers.uploaded}", 0.0, 0.0),
    ("participants", "{peers.downloaded / seed.uploaded}", 1.05, 99.0),
    ("rarest-first", "{leechers.completed / leechers.count}", 1.0, 1.0),
    ("rarest-first", "{random.leechers.completed / random.leechers.count}", 0.0, 0.9),
    ("seed-leaves", "{leechers.completed / leechers.count}", 0.0, 0.0),
    ("seed-leaves", "{longer.leechers.completed / longer.leechers.count}", 1.0, 1.0),
    ("tracker-dies", "{early.completed / early.count}", 1.0, 1.0),
    ("tracker-dies", "{late.completed / late.count}", 1.0, 1.0),
    ("tracker-dies", "{tracker.unanswered}", 1.0, 99.0),
    ("upload-limits", "{half.time.mean / open.time.mean}", 1.05, 99.0),
    ("upload-limits", "{miser.time.mean / half.time.mean}", 1.05, 99.0),
    ("upload-limits", "{miser.time.mean / open.time.mean}", 1.2, 99.0),
    ("free-riders", "{honest.completed / honest.count}", 1.0, 1.0),
    ("free-riders", "{riders.completed / riders.count}", 0.0, 0.0),
    ("free-riders", "{riders.downloaded / honest.downloaded}", 0.0, 0.057),
    ("free-riders", "{riders.uploaded / honest.uploaded}", 0.0, 0.0),
];

#[test]
fn runs_show_what_lessons_say() {
    let mut findings = Vec::new();
    for name in names() {
        let claims: Vec<_> = CLAIMS.iter().filter(|(of, ..)| *of == name).collect();
        if claims.is_empty() {
            continue;
        }
        // An answer of nothing but the numbers.
        let answer = claims.iter().map(|(_, what, ..)| *what).collect::<Vec<_>>().join(" ~ ");
        let lesson = Lesson { answer, look: vec![], picture: vec![], ..find(name).unwrap() };
        let taught = lesson.teach().unwrap();
        for (said, (_, what, least, most)) in taught.page["answer"].as_str().unwrap().split(" ~ ").zip(claims)
        {
            let number: f64 = said.trim_end_matches(" %").parse().unwrap_or(f64::NAN);
            if !(*least..=*most).contains(&number) {
                findings.push(format!("{name}: {what} is {said}, not {least} to {most}"));
            }
        }
    }
    assert!(findings.is_empty(), "{findings:#?}");
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
