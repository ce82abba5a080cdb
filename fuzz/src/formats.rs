//! Targets for the formats: bencode, `.torrent` files, magnet links.

use swarmlab_metainfo::{
    Magnet, Metainfo, Warning,
    bencode::{self, DictEncoder, Document, Kind, Limits, ListEncoder, Mode, Node, Reader, Token},
};

/// Bencode is read without a panic; strict reading accepts exactly what the encoder writes; lenient reading differs
/// only in what it forgives; the events of the reader name every byte once.
pub fn bencode(input: &[u8]) {
    let strict = Document::strict(input);
    let lenient = Document::lenient(input);
    match (&strict, &lenient) {
        (Ok(document), Ok(lenient)) => {
            assert!(lenient.warnings().is_empty());
            assert_eq!(document.root().span(), 0..input.len());
            assert_eq!(rewrite(document.root()), input);
        }
        (Err(error), Ok(lenient)) => assert_eq!(lenient.warnings().first(), Some(error)),
        (Ok(_), Err(error)) => panic!("strict reading accepts what lenient reading refuses: {error}"),
        (Err(strict), Err(lenient)) => {
            assert!(strict == lenient || strict.reason.is_forgivable());
            assert!(strict.offset <= input.len() && lenient.offset <= input.len());
        }
    }
    let mut reader = Reader::new(input, Mode::Lenient, Limits::default());
    let (mut at, mut depth) = (0, 0);
    for event in reader.by_ref().map_while(Result::ok) {
        assert_eq!(event.span.start, at);
        at = event.span.end;
        depth -= usize::from(event.token == Token::End);
        assert_eq!(event.depth, depth);
        depth += usize::from(matches!(event.token, Token::List | Token::Dict));
    }
    let is_complete = reader.finish().is_ok();
    assert_eq!(is_complete, lenient.is_ok());
    assert!(!is_complete || depth == 0);
    let prefix = Document::prefix(input, Mode::Strict, Limits::default());
    if let Ok((document, rest)) = prefix {
        assert_eq!(document.root().raw().len() + rest.len(), input.len());
    }
}

fn rewrite(root: Node<'_, '_>) -> Vec<u8> {
    let list = bencode::list(|list| add_to_list(root, list));
    list[1..list.len() - 1].to_vec()
}

// The depth of recursion is that of the value, which reading has limited.

fn add_to_list(node: Node<'_, '_>, list: &mut ListEncoder<'_>) {
    match node.kind() {
        Kind::Bytes => list.bytes(node.as_bytes().unwrap()),
        Kind::Int => list.int(node.as_int().unwrap()),
        Kind::List => list.list(|inner| node.items().unwrap().for_each(|item| add_to_list(item, inner))),
        Kind::Dict => list.dict(|inner| add_entries(node, inner)),
    }
}

fn add_entries(node: Node<'_, '_>, dict: &mut DictEncoder<'_>) {
    for (key, value) in node.entries().unwrap() {
        let key = key.as_bytes().unwrap();
        match value.kind() {
            Kind::Bytes => dict.bytes(key, value.as_bytes().unwrap()),
            Kind::Int => dict.int(key, value.as_int().unwrap()),
            Kind::List => {
                dict.list(key, |inner| value.items().unwrap().for_each(|item| add_to_list(item, inner)));
            }
            Kind::Dict => dict.dict(key, |inner| add_entries(value, inner)),
        }
    }
}

/// A torrent that is read is sound: offsets, spans and hashes fit together, and no path leads out of the directory.
pub fn torrent(input: &[u8]) {
    let Ok(torrent) = Metainfo::from_bytes(input) else { return };
    let layout = torrent.layout();
    let mut offset = 0;
    for file in torrent.files() {
        assert_eq!(file.offset, offset);
        offset += file.length;
        let literal = file.literal.iter().flatten().chain(torrent.literal_name().map(|_| &file.path[0]));
        assert!(literal.into_iter().all(|name| !["", ".", ".."].contains(&name.as_str())));
        assert!(file.literal.iter().flatten().all(|name| !name.contains(['/', '\0'])));
        assert!(!file.path.is_empty());
        file.path.iter().for_each(|name| assert_safe(name));
    }
    assert_safe(torrent.name());
    assert_eq!(offset, layout.length());
    assert_eq!(torrent.spans(0..u64::MAX).map(|span| span.len).sum::<u64>(), offset);
    for piece in layout.pieces() {
        torrent.piece_hash(piece);
        let start = layout.piece_offset(piece);
        let len = u64::from(layout.piece_len(piece));
        if torrent.files().len() < 64 {
            assert_eq!(torrent.spans(start..start + len).map(|span| span.len).sum::<u64>(), len);
        }
    }
    let mut paths: Vec<String> = torrent
        .files()
        .iter()
        .filter(|file| !file.pad)
        .map(|file| file.display_path().to_lowercase())
        .collect();
    paths.sort_unstable();
    assert!(paths.windows(2).all(|pair| pair[0] != pair[1]), "two files on one path");
    assert!(torrent.warnings().len() <= Warning::MOST);
    torrent.warnings().iter().for_each(|warning| assert!(!warning.to_string().contains(char::is_control)));
}

fn assert_safe(name: &str) {
    assert!(!["", ".", ".."].contains(&name) && name.len() <= 255, "{name:?}");
    assert!(!name.contains(['/', '\\']) && !name.contains(char::is_control), "{name:?}");
}

/// A magnet link that is read is written so that it reads the same.
pub fn magnet(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(magnet) = text.parse::<Magnet>() {
        assert_eq!(magnet.to_string().parse(), Ok(magnet));
    }
}
