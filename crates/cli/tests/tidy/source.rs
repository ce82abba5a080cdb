//! The files of the tree as the rules see them: their text, their code without comments and literals, and which part
//! of it is tests.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Directories that hold nothing anyone wrote; `assets` is what the page is built to.
const SKIPPED: [&str; 9] =
    [".git", "target", "node_modules", "dist", "assets", "corpus", "artifacts", "coverage", "seeds"];
/// Endings of files that people write and read.
const WRITTEN: [&str; 14] =
    ["rs", "ts", "tsx", "js", "css", "html", "svg", "toml", "md", "sh", "py", "yml", "yaml", "json"];
/// Where files without an ending are scripts.
const SCRIPTS: [&str; 2] = [".ci", "scripts"];

/// One file of the tree.
pub(crate) struct Source {
    /// Its path from the root, with `/` between the parts.
    pub path: String,
    /// What is in it.
    pub text: String,
    /// Of Rust the text with comments, strings and characters blanked, byte for byte as long; else empty.
    code: String,
    /// Which bytes are compiled for tests only.
    tests: Vec<Range<usize>>,
}

impl Source {
    /// Whether it is written in Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether all of it is compiled for tests only, as a module of a crate.
    pub(crate) fn is_test_module(&self) -> bool {
        self.tests.first().is_some_and(|part| part.start == 0 && part.end == self.text.len())
    }

    /// The lines outside tests, numbered from 1, as code: without comments and literals.
    pub(crate) fn production(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut start = 0;
        let lines = self.code.split_inclusive('\n').enumerate().map(move |(number, line)| {
            start += line.len();
            (number + 1, start - line.len(), line)
        });
        lines
            .filter(|(_, start, _)| !self.tests.iter().any(|part| part.contains(start)))
            .map(|(number, _, line)| (number, line))
    }

    /// How many lines are outside tests; every line of what is not Rust.
    pub(crate) fn production_len(&self) -> usize {
        if self.is_rust() { self.production().count() } else { self.text.lines().count() }
    }
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.ancestors().nth(2).expect("a crate lies two below the root").to_owned()
    })
}

/// Every file that people write, in the order of their paths.
pub(crate) fn tree() -> &'static [Source] {
    static TREE: OnceLock<Vec<Source>> = OnceLock::new();
    TREE.get_or_init(|| {
        let mut sources = Vec::new();
        read_dir(root(), "", &mut sources);
        sources.sort_by(|one, other| one.path.cmp(&other.path));
        mark_test_modules(&mut sources);
        assert!(sources.iter().any(|source| source.path == "Cargo.toml"), "this is not the root");
        sources
    })
}

/// The Rust sources of one of our crates.
pub(crate) fn of_crate(name: &str) -> impl Iterator<Item = &'static Source> {
    let prefix = format!("crates/{name}/src/");
    tree().iter().filter(move |source| source.is_rust() && source.path.starts_with(&prefix))
}

fn read_dir(dir: &Path, prefix: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(dir).expect("a directory of the tree") {
        let entry = entry.expect("an entry of the tree");
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().expect("a kind of file");
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) && !name.starts_with("target-") {
            read_dir(&entry.path(), &path, sources);
        } else if kind.is_file() && is_written(&path) {
            let text = fs::read_to_string(entry.path()).unwrap_or_else(|error| panic!("{path}: {error}"));
            let code = if name.ends_with(".rs") { code_of(&text) } else { String::new() };
            let tests = test_parts(&code);
            sources.push(Source { path, text, code, tests });
        }
    }
}

fn is_written(path: &str) -> bool {
    let path = Path::new(path);
    match path.extension().and_then(|ending| ending.to_str()) {
        Some(ending) => WRITTEN.contains(&ending),
        None => path.parent().is_some_and(|parent| SCRIPTS.iter().any(|dir| parent.starts_with(dir))),
    }
}

/// The text with comments, strings and characters blanked.
fn code_of(text: &str) -> String {
    let mut code = text.as_bytes().to_vec();
    let mut at = 0;
    while at < code.len() {
        let len = blank_len(text.as_bytes(), at);
        code[at..at + len].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at += len.max(1);
    }
    String::from_utf8(code).expect("whole characters are blanked")
}

/// Length of the comment or literal that begins here, 0 if none does.
fn blank_len(text: &[u8], at: usize) -> usize {
    let rest = &text[at..];
    let found = |needle: &[u8], from: usize| {
        let at = rest.get(from..)?.windows(needle.len()).position(|window| window == needle)?;
        Some(from + at + needle.len())
    };
    let inside_word = at > 0 && is_word(text[at - 1]);
    match rest {
        [b'/', b'/', ..] => found(b"\n", 0).map_or(rest.len(), |end| end - 1),
        [b'/', b'*', ..] => block_comment_len(rest),
        [b'"', ..] => quoted_len(rest, b'"'),
        [b'\'', b'\\', ..] => quoted_len(rest, b'\''),
        [b'\'', first, ..] => {
            let width = (1..=4).find(|width| rest.get(1 + width).is_none_or(|&byte| byte & 0xc0 != 0x80));
            let end = 1 + width.unwrap_or(1);
            if *first != b'\'' && rest.get(end) == Some(&b'\'') { end + 1 } else { 0 } // or a lifetime
        }
        [b'b' | b'c', b'r', b'"' | b'#', ..] | [b'r', b'"' | b'#', ..] if !inside_word => {
            let start = rest.iter().position(|&byte| byte == b'r').unwrap_or(0) + 1;
            let hashes = rest[start..].iter().take_while(|&&byte| byte == b'#').count();
            let closing = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
            match rest.get(start + hashes) {
                Some(b'"') => found(&closing, start + hashes + 1).unwrap_or(rest.len()),
                _ => 0, // a raw identifier
            }
        }
        _ => 0,
    }
}

fn quoted_len(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn block_comment_len(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The items behind `#[cfg(test)]`, from the attribute to their end.
fn test_parts(code: &str) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (start, attribute) in code.match_indices("#[cfg(") {
        let condition = &code[start + attribute.len()..];
        let of_tests = ["test)", "all(test"].iter().any(|form| condition.starts_with(form));
        if of_tests && parts.last().is_none_or(|last| last.end <= start) {
            parts.push(start..item_end(code, start));
        }
    }
    parts
}

/// The end of the item that begins here: its `;`, or the brace that closes it.
fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(byte, b';' | b'}') {
            return at + 1;
        }
    }
    code.len()
}

/// Marks the files that are modules declared behind `#[cfg(test)]`.
fn mark_test_modules(sources: &mut [Source]) {
    let places: Vec<String> = sources
        .iter()
        .flat_map(|source| source.tests.iter().filter_map(|part| module_place(source, part.clone())))
        .collect();
    for source in sources {
        let inside = |place: &String| {
            source
                .path
                .strip_prefix(place.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        if source.is_rust() && places.iter().any(inside) {
            source.tests = std::iter::once(0..source.text.len()).collect();
        }
    }
}

/// Where a module declared here lies, without `.rs`.
fn module_place(source: &Source, part: Range<usize>) -> Option<String> {
    let declaration = source.code[part.clone()].strip_suffix(';')?;
    let (_, name) = declaration.rsplit_once("mod ")?;
    let (dir, file) = source.path.rsplit_once('/')?;
    if let Some((_, path)) = source.text[part].split_once("#[path = \"") {
        return Some(format!("{dir}/{}", path.split_once(".rs\"")?.0));
    }
    Some(match file {
        "mod.rs" | "lib.rs" | "main.rs" => format!("{dir}/{name}"),
        _ => format!("{dir}/{}/{name}", file.strip_suffix(".rs")?),
    })
}

/// Whether the byte can be part of an identifier.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether `phrase` stands in the line and neither begins nor ends inside a longer word.
pub(crate) fn has_phrase(line: &str, phrase: &str) -> bool {
    let joins = |one: Option<u8>, other: Option<u8>| {
        one.zip(other).is_some_and(|(one, other)| is_word(one) && is_word(other))
    };
    line.match_indices(phrase).any(|(at, _)| {
        let (before, after) = (&line.as_bytes()[..at], &line.as_bytes()[at + phrase.len()..]);
        !joins(before.last().copied(), phrase.bytes().next())
            && !joins(phrase.bytes().last(), after.first().copied())
    })
}

#[test]
fn comments_and_literals_are_not_code() {
    let text =
        "let a = \"f64 \\\" //\"; // f64\n/* f64 /* nested */ f64 */ let b: f32 = 'x'; r#\"f64\"# 'é' '\\''";
    let code = code_of(text);
    assert_eq!(code.len(), text.len());
    assert!(!code.contains("f64") && code.contains("let b: f32 =") && code.contains('\n'), "{code}");
    let lifetimes = "fn f<'a>(x: &'a str) -> r#type<'static> { 'a: loop {} }";
    assert_eq!(code_of(lifetimes), lifetimes);
}

#[test]
fn tests_are_told_from_production() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { let x = [0; 2]; }\n}\nfn c() {}\n";
    let source = Source {
        path: "a.rs".into(),
        text: text.into(),
        code: code_of(text),
        tests: test_parts(&code_of(text)),
    };
    let lines: Vec<_> = source.production().collect();
    // The brace that closes the module is not a line of it alone, but belongs to the part.
    assert_eq!(lines, [(1, "fn a() {}\n"), (6, "fn c() {}\n")]);
    assert!(has_phrase("x: f64,", "f64") && !has_phrase("x: uf64,", "f64") && has_phrase("::now()", "now("));
}
