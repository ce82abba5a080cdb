//! Throughput of bencode: `cargo bench -p swarmlab-metainfo`.
//!
//! Two shapes: a large torrent (10,000 files, 50,000 pieces), where half the bytes are one string of hashes, and a
//! scrape reply of 20,000 swarms, where every value is a few bytes and the cost is that of the tokens.

use divan::{Bencher, black_box, counter::BytesCount};
use swarmlab_metainfo::{
    Draft, DraftFile, Metainfo,
    bencode::{self, Document, Limits, Mode, Reader},
};

fn main() {
    divan::main();
}

const SWARMS: u64 = 20_000;

fn torrent() -> Vec<u8> {
    let files = (0..10_000).map(|number: u64| DraftFile {
        path: vec![format!("disc {:02}", number / 500), format!("{number:05} a name of usual length.flac")],
        length: 5_000_000 + number * 97,
        ..DraftFile::default()
    });
    let files: Vec<DraftFile> = files.collect();
    let total: u64 = files.iter().map(|file| file.length).sum();
    let piece_length = 1 << 20;
    let piece_count = total.div_ceil(piece_length);
    assert!((50_000..60_000).contains(&piece_count));
    let draft = Draft {
        name: "collection".into(),
        files,
        piece_length: piece_length as u32,
        hashes: (0..20 * piece_count).map(|at| (at * 31) as u8).collect(),
        tiers: vec![vec!["http://tracker.example:6969/announce".into()]],
        ..Draft::default()
    };
    draft.to_bytes().expect("the draft is sound")
}

fn scrape() -> Vec<u8> {
    bencode::dict(|reply| {
        reply.dict("files", |files| {
            for number in 0..SWARMS {
                let mut hash = [0x5a; 20];
                hash[..8].copy_from_slice(&number.to_be_bytes());
                files.dict(hash, |counts| {
                    counts.int("complete", (number % 977) as i64);
                    counts.int("downloaded", (number * 31) as i64);
                    counts.int("incomplete", (number % 89) as i64);
                });
            }
        });
    })
}

fn input(shape: &str) -> Vec<u8> {
    if shape == "torrent" { torrent() } else { scrape() }
}

const SHAPES: [&str; 2] = ["torrent", "scrape"];

#[divan::bench(args = SHAPES)]
fn tokens(bencher: Bencher<'_, '_>, shape: &str) {
    let input = input(shape);
    bencher.counter(BytesCount::of_slice(&input)).bench(|| {
        Reader::new(black_box(&input), Mode::Strict, Limits::default()).filter(Result::is_ok).count()
    });
}

#[divan::bench(args = SHAPES)]
fn decode(bencher: Bencher<'_, '_>, shape: &str) {
    let input = input(shape);
    bencher.counter(BytesCount::of_slice(&input)).bench(|| Document::strict(black_box(&input)).is_ok());
}

/// Decoding, the SHA-1 of `info`, and all checks of paths and lengths.
#[divan::bench]
fn read_torrent(bencher: Bencher<'_, '_>) {
    let input = torrent();
    bencher.counter(BytesCount::of_slice(&input)).bench(|| Metainfo::from_bytes(black_box(&input)));
}

/// The large torrent written from a decoded one, value by value.
#[divan::bench]
fn encode_torrent(bencher: Bencher<'_, '_>) {
    let input = torrent();
    let read = Metainfo::from_bytes(&input).expect("the torrent is sound");
    let hashes: Vec<u8> = read.layout().pieces().flat_map(|piece| read.piece_hash(piece)).collect();
    bencher.counter(BytesCount::of_slice(&input)).bench(|| {
        bencode::dict(|torrent| {
            torrent.bytes("announce", read.announce().unwrap_or_default());
            torrent.dict("info", |info| {
                info.list("files", |list| {
                    for file in read.files() {
                        list.dict(|entry| {
                            entry.int("length", file.length as i64);
                            entry.list("path", |path| file.path.iter().for_each(|name| path.bytes(name)));
                        });
                    }
                });
                info.bytes("name", read.name());
                info.int("piece length", i64::from(read.layout().piece_length()));
                info.bytes("pieces", &hashes);
            });
        })
    });
}

#[divan::bench]
fn encode_scrape(bencher: Bencher<'_, '_>) {
    bencher.counter(BytesCount::of_slice(&scrape())).bench(scrape);
}
