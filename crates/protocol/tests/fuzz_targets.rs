//! The fuzz targets of this crate over their seeds and random mutations of them; see `fuzz/README.md`.

#[path = "../../../fuzz/src/mutate.rs"]
pub mod mutate;
#[path = "../../../fuzz/src/peer.rs"]
pub mod peer;
#[path = "../../../fuzz/src/tracker.rs"]
pub mod tracker;

#[test]
fn tracker_query() {
    mutate::drive("tracker_query", tracker::query);
}

#[test]
fn tracker_reply() {
    mutate::drive("tracker_reply", tracker::reply);
}

#[test]
fn wire() {
    mutate::drive("wire", peer::wire);
}

#[test]
fn handshake() {
    mutate::drive("handshake", peer::handshake);
}
