//! What the fuzz targets check: one function per decoder, which panics if anything about the input is handled wrong.
//!
//! Each module depends on one crate only, so that the tests of that crate include the same file and run the same
//! functions over the seeds and random mutations of them on a stable compiler (see `mutate.rs` and `README.md`).

pub mod engine;
pub mod formats;
pub mod peer;
pub mod trace;
pub mod tracker;
