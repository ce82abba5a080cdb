//! From the bytes of a `.torrent` file to a checked [`Metainfo`].

use super::{
    Metainfo,
    error::{Fault, Oddity, TorrentError, Warning},
    files::File,
};
use crate::{
    InfoHash, Layout,
    bencode::{Document, Kind, Node},
    path::{Assigned, literal_component, safe_component, shown},
    sha1,
};
use alloc::{borrow::ToOwned, collections::BTreeSet, format, string::String, vec::Vec};

pub(super) fn torrent(bytes: &[u8]) -> Result<Metainfo, TorrentError> {
    let document = Document::lenient(bytes)?;
    let mut notes = Notes::default();
    for fault in document.warnings() {
        notes.add("", fault.offset, Oddity::Bencode(fault.reason));
    }
    let root = document.root();
    expect("torrent", root, Kind::Dict)?;
    let info = require("", root, "info", Kind::Dict)?;
    let info_hash = InfoHash(sha1(info.raw()));

    if info.get(b"pieces").is_none()
        && (info.get(b"file tree").is_some() || info.get(b"meta version").is_some())
    {
        return Err(fault("info", info, Fault::VersionTwoOnly));
    }
    let hybrid = info.get(b"meta version").is_some();
    if hybrid {
        notes.at("info", info, Oddity::Hybrid);
    }
    let (name, literal_name) = name(info, info_hash, &mut notes)?;
    let piece_length = length("info", info, "piece length")?;
    let (files, multi_file) = files(info, &name, literal_name.as_deref(), &mut notes)?;
    let total = files.last().map_or(0, |file| file.offset + file.length);
    let layout = Layout::new(total, piece_length, Layout::BLOCK_LEN)
        .map_err(|error| at_key("info", info, "piece length", Fault::Layout(error)))?;
    let hashes = hashes(info, &layout)?;

    Ok(Metainfo {
        info_hash,
        info: info.raw().into(),
        name,
        literal_name,
        layout,
        hashes: hashes.into(),
        files,
        multi_file,
        private: integer("info", info, "private", &mut notes).is_some_and(|private| private != 0),
        hybrid,
        announce: announce(root, &mut notes),
        announce_list: announce_list(root, &mut notes),
        web_seeds: web_seeds(root, &mut notes),
        comment: text(root, "comment", &mut notes),
        created_by: text(root, "created by", &mut notes),
        creation_date: integer("", root, "creation date", &mut notes),
        warnings: notes.finish(),
    })
}

/// Warnings, bounded.
#[derive(Default)]
struct Notes {
    kept: Vec<Warning>,
    left_out: usize,
}

impl Notes {
    fn add(&mut self, key: &str, offset: usize, oddity: Oddity) {
        if self.kept.len() < Warning::MOST - 1 {
            self.kept.push(Warning { key: key.to_owned(), offset, oddity });
        } else {
            self.left_out += 1;
        }
    }

    fn at(&mut self, key: &str, node: Node<'_, '_>, oddity: Oddity) {
        self.add(key, node.span().start, oddity);
    }

    /// Notes that `node` is not of the type due and is ignored.
    fn ignored(&mut self, key: &str, node: Node<'_, '_>, expected: Kind) {
        self.at(key, node, Oddity::Ignored { expected, found: node.kind() });
    }

    fn finish(mut self) -> Vec<Warning> {
        if self.left_out > 0 {
            let oddity = Oddity::LeftOut(self.left_out);
            self.kept.push(Warning { key: String::new(), offset: 0, oddity });
        }
        self.kept
    }
}

fn fault(key: &str, node: Node<'_, '_>, fault: Fault) -> TorrentError {
    TorrentError::Key { key: key.to_owned(), offset: node.span().start, fault }
}

fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

/// A fault of the value of `key`, or of the dictionary if the key is not there.
fn at_key(parent: &str, dict: Node<'_, '_>, key: &str, reason: Fault) -> TorrentError {
    fault(&join(parent, key), dict.get(key.as_bytes()).unwrap_or(dict), reason)
}

fn expect(key: &str, node: Node<'_, '_>, expected: Kind) -> Result<(), TorrentError> {
    let found = node.kind();
    if found == expected { Ok(()) } else { Err(fault(key, node, Fault::WrongType { expected, found })) }
}

fn require<'d, 'a>(
    parent: &str,
    dict: Node<'d, 'a>,
    key: &str,
    kind: Kind,
) -> Result<Node<'d, 'a>, TorrentError> {
    let node = dict.get(key.as_bytes()).ok_or_else(|| fault(&join(parent, key), dict, Fault::Missing))?;
    expect(&join(parent, key), node, kind)?;
    Ok(node)
}

/// A required integer that is not negative.
fn length(parent: &str, dict: Node<'_, '_>, key: &str) -> Result<u64, TorrentError> {
    let node = require(parent, dict, key, Kind::Int)?;
    let value = node.as_int().unwrap_or(-1);
    u64::try_from(value).map_err(|_| fault(&join(parent, key), node, Fault::Negative(value)))
}

/// An optional integer.
fn integer(parent: &str, dict: Node<'_, '_>, key: &str, notes: &mut Notes) -> Option<i64> {
    let node = dict.get(key.as_bytes())?;
    if node.as_int().is_none() {
        notes.ignored(&join(parent, key), node, Kind::Int);
    }
    node.as_int()
}

/// An optional text.
fn text(dict: Node<'_, '_>, key: &str, notes: &mut Notes) -> Option<String> {
    let node = dict.get(key.as_bytes())?;
    let Some(bytes) = node.as_bytes() else {
        notes.ignored(key, node, Kind::Bytes);
        return None;
    };
    if node.as_str().is_none() {
        notes.at(key, node, Oddity::NotUtf8);
    }
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// An address, without the blanks around it; `None` if it is empty or unusable.
fn url(key: &str, node: Node<'_, '_>, notes: &mut Notes) -> Option<String> {
    if node.kind() != Kind::Bytes {
        notes.ignored(key, node, Kind::Bytes);
        return None;
    }
    // A line break inside an address could forge a line of a request.
    let Some(url) = node.as_str().map(str::trim).filter(|url| !url.contains(char::is_control)) else {
        notes.at(key, node, Oddity::UnreadableUrl);
        return None;
    };
    (!url.is_empty()).then(|| url.to_owned())
}

fn announce(root: Node<'_, '_>, notes: &mut Notes) -> Option<String> {
    url("announce", root.get(b"announce")?, notes)
}

/// The tiers of BEP 12. Some programs write a plain list of addresses: each is then a tier of its own.
fn announce_list(root: Node<'_, '_>, notes: &mut Notes) -> Vec<Vec<String>> {
    let Some(list) = root.get(b"announce-list") else { return Vec::new() };
    let Some(tiers) = list.items() else {
        notes.ignored("announce-list", list, Kind::List);
        return Vec::new();
    };
    let mut read = Vec::new();
    for (number, tier) in tiers.enumerate() {
        let key = format!("announce-list[{number}]");
        let urls: Vec<String> = match tier.items() {
            Some(urls) => urls.filter_map(|node| url(&key, node, notes)).collect(),
            None => {
                notes.ignored(&key, tier, Kind::List);
                url(&key, tier, &mut Notes::default()).into_iter().collect()
            }
        };
        if !urls.is_empty() {
            read.push(urls);
        }
    }
    read
}

/// `url-list`: one address or a list of them (BEP 19).
fn web_seeds(root: Node<'_, '_>, notes: &mut Notes) -> Vec<String> {
    let Some(node) = root.get(b"url-list") else { return Vec::new() };
    match node.items() {
        Some(urls) => urls.filter_map(|node| url("url-list", node, notes)).collect(),
        None => url("url-list", node, notes).into_iter().collect(),
    }
}

fn hashes<'a>(info: Node<'_, 'a>, layout: &Layout) -> Result<&'a [u8], TorrentError> {
    let node = require("info", info, "pieces", Kind::Bytes)?;
    let hashes = node.as_bytes().unwrap_or_default();
    if !hashes.len().is_multiple_of(20) {
        return Err(fault("info.pieces", node, Fault::TornHashes(hashes.len())));
    }
    let (expected, found) = (layout.piece_count(), hashes.len() / 20);
    if found != expected as usize {
        return Err(fault("info.pieces", node, Fault::HashCount { expected, found }));
    }
    Ok(hashes)
}

/// The safe name and, where it differs and is possible, the literal one. A name of which nothing is left becomes
/// the info hash.
fn name(
    info: Node<'_, '_>,
    info_hash: InfoHash,
    notes: &mut Notes,
) -> Result<(String, Option<String>), TorrentError> {
    // Older programs write the name in a local encoding and again in UTF-8 under this key.
    let utf8 = info.get(b"name.utf-8").filter(|node| node.as_str().is_some());
    let node = match utf8 {
        Some(node) => node,
        None => require("info", info, "name", Kind::Bytes)?,
    };
    let raw = node.as_bytes().unwrap_or_default();
    let safe = safe_component(raw).unwrap_or_else(|| format!("{info_hash}"));
    if safe.as_bytes() == raw {
        return Ok((safe, None));
    }
    let renamed = Oddity::Renamed { from: shown([raw]), to: safe.clone() };
    notes.at("info.name", node, renamed);
    Ok((safe, literal_component(raw).map(str::to_owned)))
}

/// The files, and whether they stand in a `files` list.
fn files(
    info: Node<'_, '_>,
    name: &str,
    literal_name: Option<&str>,
    notes: &mut Notes,
) -> Result<(Vec<File>, bool), TorrentError> {
    let Some(list) = info.get(b"files") else {
        if info.get(b"length").is_none() {
            return Err(fault("info.length", info, Fault::NoLength));
        }
        let file = File {
            path: Vec::from([name.to_owned()]),
            literal: literal_name.map(|name| Vec::from([name.to_owned()])),
            length: length("info", info, "length")?,
            offset: 0,
            pad: false,
            executable: attributes(info).contains(&b'x'),
        };
        return Ok((Vec::from([file]), false));
    };
    expect("info.files", list, Kind::List)?;
    if info.get(b"length").is_some() {
        return Err(fault("info.files", list, Fault::LengthAndFiles));
    }
    let mut entries = Vec::new();
    let mut offset = 0u64;
    for (number, node) in list.items().into_iter().flatten().enumerate() {
        let entry = Entry::read(number, node, offset, notes)?;
        offset = offset
            .checked_add(entry.file.length)
            .filter(|&total| total <= i64::MAX as u64)
            .ok_or_else(|| at_key(&entry.key(), node, "length", Fault::TotalTooLong))?;
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(fault("info.files", list, Fault::NoFiles));
    }
    Ok((assign(entries, notes), true))
}

fn attributes<'a>(dict: Node<'_, 'a>) -> &'a [u8] {
    dict.get(b"attr").and_then(|node| node.as_bytes()).unwrap_or_default()
}

/// One element of `files`, before its path is known to be free.
struct Entry<'d, 'a> {
    number: usize,
    file: File,
    path: Option<Node<'d, 'a>>,
    raw_path: Vec<&'a [u8]>,
}

impl<'d, 'a> Entry<'d, 'a> {
    fn read(
        number: usize,
        node: Node<'d, 'a>,
        offset: u64,
        notes: &mut Notes,
    ) -> Result<Entry<'d, 'a>, TorrentError> {
        let key = format!("info.files[{number}]");
        expect(&key, node, Kind::Dict)?;
        let attributes = attributes(node);
        let pad = attributes.contains(&b'p');
        if attributes.contains(&b'l') {
            notes.at(&key, node, Oddity::SymbolicLink);
        }
        let file = File {
            path: Vec::new(),
            literal: None,
            length: length(&key, node, "length")?,
            offset,
            pad,
            executable: attributes.contains(&b'x'),
        };
        let (path, raw_path) = match read_path(&key, node) {
            Ok((path, raw_path)) => (Some(path), raw_path),
            // The path of a pad file has no meaning (BEP 47), so it may be anything.
            Err(_) if pad => (None, Vec::new()),
            Err(error) => return Err(error),
        };
        Ok(Entry { number, file, path, raw_path })
    }

    fn key(&self) -> String {
        format!("info.files[{}]", self.number)
    }
}

fn read_path<'d, 'a>(key: &str, dict: Node<'d, 'a>) -> Result<(Node<'d, 'a>, Vec<&'a [u8]>), TorrentError> {
    let is_text =
        |node: &Node<'_, '_>| node.items().is_some_and(|mut names| names.all(|name| name.as_str().is_some()));
    let path = match dict.get(b"path.utf-8").filter(is_text) {
        Some(path) => path,
        None => require(key, dict, "path", Kind::List)?,
    };
    let mut components = Vec::new();
    for (number, name) in path.items().into_iter().flatten().enumerate() {
        match name.as_bytes() {
            Some(component) => components.push(component),
            None => expect(&format!("{key}.path[{number}]"), name, Kind::Bytes)?,
        }
    }
    Ok((path, components))
}

/// Gives every file its path and notes what differs from the torrent.
fn assign(mut entries: Vec<Entry<'_, '_>>, notes: &mut Notes) -> Vec<File> {
    let mut assigned = Assigned::default();
    for entry in &mut entries {
        entry.file.path = entry.raw_path.iter().filter_map(|raw| safe_component(raw)).collect();
        if entry.file.path.is_empty() {
            entry.file.path.push("_".to_owned());
        }
        if !entry.file.pad {
            assigned.add_directories(&entry.file.path);
        }
    }
    let mut literals = BTreeSet::new();
    let mut files = Vec::with_capacity(entries.len());
    for Entry { number, mut file, path, raw_path } in entries {
        if !file.pad {
            assigned.place(&mut file.path);
            let is_kept = file.path.iter().map(|name| name.as_bytes()).eq(raw_path.iter().copied());
            if let (false, Some(path)) = (is_kept, path) {
                file.literal = literal(&raw_path);
                let to = shown(file.path.iter().map(|name| name.as_bytes()));
                let from = shown(raw_path.iter().copied());
                notes.at(&format!("info.files[{number}].path"), path, Oddity::Renamed { from, to });
            }
            if !literals.insert(raw_path) {
                file.literal = None;
            }
        }
        files.push(file);
    }
    files
}

fn literal(raw_path: &[&[u8]]) -> Option<Vec<String>> {
    let names: Option<Vec<String>> =
        raw_path.iter().map(|raw| literal_component(raw).map(str::to_owned)).collect();
    names.filter(|names| !names.is_empty())
}
