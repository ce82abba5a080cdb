//! The fuzz target of this crate over its seeds and random mutations of them; see `fuzz/README.md`.

#[path = "../../../fuzz/src/mutate.rs"]
pub mod mutate;
#[path = "../../../fuzz/src/trace.rs"]
pub mod target;

#[test]
fn trace() {
    mutate::drive("trace", target::trace);
}
