//! Making the paths of a torrent safe to create.
//!
//! Owns the rules for one path component ([`safe_component`]) and the assignment of distinct paths to all files of
//! a torrent ([`Assigned`]). The result depends on the torrent alone, not on the machine, so that a download lands
//! under the same names everywhere. It refuses nothing: what cannot stay is replaced, and the caller is told.

use alloc::{
    borrow::{Cow, ToOwned},
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};

/// Longest component in bytes: the limit of ext4, XFS, APFS and NTFS (where it counts UTF-16 units).
const MAX_COMPONENT: usize = 255;
/// Longest ending (".torrent") that survives shortening, in bytes.
const MAX_ENDING: usize = 20;

/// A component as it may be created on any common file system, or `None` if nothing is left of it (empty, `.` and
/// `..` name no entry of their own and are left out).
pub(crate) fn safe_component(raw: &[u8]) -> Option<String> {
    if matches!(raw, b"" | b"." | b"..") {
        return None;
    }
    let text = String::from_utf8_lossy(raw);
    let mut safe: String = text.chars().map(|c| if is_unsafe(c) { '_' } else { c }).collect();
    let mut start = safe.bytes();
    if start.next().is_some_and(|byte| byte.is_ascii_alphabetic()) && start.next() == Some(b':') {
        // `C:` at the start of a component is a drive on Windows.
        safe.replace_range(1..2, "_");
    }
    safe.truncate(safe.trim_end_matches(['.', ' ']).len());
    if safe.is_empty() {
        safe.push('_');
    }
    if is_reserved(&safe) {
        safe.insert(0, '_');
    }
    if safe.len() > MAX_COMPONENT {
        let (stem, ending) = split_ending(&safe);
        safe = format!("{}{ending}", cut(stem, MAX_COMPONENT - ending.len()));
        safe.truncate(safe.trim_end_matches(['.', ' ']).len());
    }
    Some(safe)
}

/// The component as it is spelled in the torrent, if a POSIX system could hold an entry of that name.
pub(crate) fn literal_component(raw: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(raw).ok()?;
    let possible =
        !matches!(text, "" | "." | "..") && text.len() <= MAX_COMPONENT && !text.contains(['/', '\0']);
    possible.then_some(text)
}

/// Separators, control characters, and the marks that turn the direction of text and so disguise a name.
fn is_unsafe(c: char) -> bool {
    matches!(c, '/' | '\\' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || c.is_control()
}

/// Names that Windows keeps for devices, alone or with any ending.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    if ["con", "prn", "aux", "nul", "conin$", "conout$"]
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device))
    {
        return true;
    }
    let port =
        stem.get(..3).filter(|port| port.eq_ignore_ascii_case("com") || port.eq_ignore_ascii_case("lpt"));
    let number = stem.get(3..).map(|rest| rest.chars());
    match (port, number) {
        (Some(_), Some(mut rest)) => {
            matches!(rest.next(), Some('0'..='9' | '¹' | '²' | '³')) && rest.next().is_none()
        }
        _ => false,
    }
}

/// Splits a name before its last dot, if what follows is short enough to be kept when the name is shortened.
fn split_ending(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= MAX_ENDING => name.split_at(dot),
        _ => (name, ""),
    }
}

/// The longest start of `text` of at most `max` bytes that does not break a character.
fn cut(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Gives every file a path of its own, also where upper and lower case are the same, and keeps a file from taking
/// the place of a directory.
#[derive(Debug, Default)]
pub(crate) struct Assigned {
    /// Directories by (parent, name in lower case); the root is 0.
    directories: BTreeMap<(u32, String), u32>,
    files: BTreeSet<(u32, String)>,
    /// Last number tried for a (directory, stem, ending), so that many equal names take linear time.
    numbers: BTreeMap<(u32, String), u32>,
}

impl Assigned {
    /// Announces the directories above a file. To be called for all files before the first [`Assigned::place`].
    pub(crate) fn add_directories(&mut self, path: &[String]) {
        let mut parent = 0;
        for name in path.iter().take(path.len().saturating_sub(1)) {
            let next = self.directories.len() as u32 + 1;
            parent = *self.directories.entry((parent, name.to_lowercase())).or_insert(next);
        }
    }

    /// Takes `path`, or the same with a number behind the file's name if it is taken.
    pub(crate) fn place(&mut self, path: &mut [String]) {
        let Some((name, directories)) = path.split_last_mut() else { return };
        let mut parent = 0;
        for directory in directories {
            parent = self.directories.get(&(parent, directory.to_lowercase())).copied().unwrap_or(0);
        }
        if self.take(parent, name) {
            return;
        }
        let (stem, ending) = split_ending(name);
        // Room for " (4294967295)".
        let stem = cut(stem, MAX_COMPONENT - ending.len() - 13);
        let counter = (parent, format!("{stem}{ending}").to_lowercase());
        let mut number = self.numbers.get(&counter).copied().unwrap_or(1);
        let free = loop {
            number += 1;
            let candidate = format!("{stem} ({number}){ending}");
            if self.take(parent, &candidate) {
                break candidate;
            }
        };
        self.numbers.insert(counter, number);
        *name = free;
    }

    fn take(&mut self, parent: u32, name: &str) -> bool {
        let key = (parent, name.to_lowercase());
        !self.directories.contains_key(&key) && self.files.insert(key)
    }
}

/// The path as written, joined by slashes, for a person to read.
pub(crate) fn shown<'c>(components: impl IntoIterator<Item = &'c [u8]>) -> String {
    let parts: Vec<Cow<'_, str>> = components.into_iter().map(String::from_utf8_lossy).collect();
    let mut text = String::new();
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            text.push('/');
        }
        // A name full of control characters must not reach a terminal.
        text.extend(part.escape_debug());
    }
    if text.len() > 512 {
        text = cut(&text, 512).to_owned() + "...";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_become_safe() {
        for (raw, safe) in [
            ("plain.txt", "plain.txt"),
            ("with blank", "with blank"),
            (" leading", " leading"),
            (".hidden", ".hidden"),
            ("...three", "...three"),
            ("ümlaut 日本語 🎵", "ümlaut 日本語 🎵"),
            ("what? \"yes\" <a|b>*", "what? \"yes\" <a|b>*"),
            ("a/b", "a_b"),
            ("/", "_"),
            ("../x", ".._x"),
            ("a\\b", "a_b"),
            ("..\\..\\x", ".._.._x"),
            ("a\0b", "a_b"),
            ("a\nb\x1b[31m\x7f\u{85}", "a_b_[31m__"),
            ("exe.\u{202e}txt", "exe._txt"),
            ("C:", "C_"),
            ("c:evil", "c_evil"),
            ("ratio 1:2", "ratio 1:2"),
            ("dot.", "dot"),
            ("dots...", "dots"),
            ("blank ", "blank"),
            (". . .", "_"),
            ("...", "_"),
            (" ", "_"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("Nul .tar.gz", "_Nul .tar.gz"),
            ("aux", "_aux"),
            ("PRN.", "_PRN"),
            ("com1", "_com1"),
            ("LPT9.x", "_LPT9.x"),
            ("com¹", "_com¹"),
            ("CONOUT$", "_CONOUT$"),
            ("com", "com"),
            ("com10", "com10"),
            ("console", "console"),
            ("auxiliary.c", "auxiliary.c"),
        ] {
            assert_eq!(safe_component(raw.as_bytes()).as_deref(), Some(safe), "{raw:?}");
        }
        for nothing in ["", ".", ".."] {
            assert_eq!(safe_component(nothing.as_bytes()), None);
        }
        assert_eq!(safe_component(b"a\xffb").as_deref(), Some("a\u{fffd}b"));
        assert_eq!(safe_component(b"\xc0\xae\xc0\xae").as_deref(), Some("\u{fffd}\u{fffd}\u{fffd}\u{fffd}"));
    }

    #[test]
    fn long_components_are_shortened_before_their_ending() {
        let long = "é".repeat(200) + ".torrent";
        let safe = safe_component(long.as_bytes()).unwrap();
        assert_eq!(safe, "é".repeat(123) + ".torrent");
        let no_ending = safe_component(&[b'x'; 256]).unwrap();
        assert_eq!(no_ending, "x".repeat(255));
        assert_eq!(safe_component(&[b'x'; 255]).unwrap().len(), 255);
        let long_ending = "x.".to_owned() + &"y".repeat(300);
        assert_eq!(safe_component(long_ending.as_bytes()).unwrap().len(), 255);
        // Invalid bytes grow to three each.
        assert_eq!(safe_component(&[0xff; 255]).unwrap().len(), 255);
    }

    #[test]
    fn what_a_posix_system_can_hold_is_literal() {
        for name in ["aux.c", "a\\b", "dot.", "a\nb", "...", "C:"] {
            assert_eq!(literal_component(name.as_bytes()), Some(name));
        }
        for name in [&b""[..], b".", b"..", b"a/b", b"a\0b", b"\xff", &[b'x'; 256]] {
            assert_eq!(literal_component(name), None);
        }
    }
}
