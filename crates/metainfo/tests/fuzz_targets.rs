//! The fuzz targets of this crate over their seeds and random mutations of them; see `fuzz/README.md`.

#[path = "../../../fuzz/src/formats.rs"]
pub mod formats;
#[path = "../../../fuzz/src/mutate.rs"]
pub mod mutate;

#[test]
fn bencode() {
    mutate::drive("bencode", formats::bencode);
}

#[test]
fn torrent() {
    mutate::drive("torrent", formats::torrent);
}

#[test]
fn magnet() {
    mutate::drive("magnet", formats::magnet);
}
