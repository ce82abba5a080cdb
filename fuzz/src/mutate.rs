//! Random mutation of seed inputs without a fuzzer: what a crate's own tests use to run its targets on a stable
//! compiler. It finds shallow faults only; the real fuzzer follows coverage and goes deep.

use std::{fs, panic, path::Path};

/// Runs `target` over every seed in `fuzz/seeds/NAME` and over mutations of them, a fixed number of each, or as
/// many as the environment variable `SWARMLAB_FUZZ_RUNS` says. Every run does the same.
///
/// # Panics
/// When the target does, naming the input that did it.
pub fn drive(name: &str, target: fn(&[u8])) {
    // Every crate lies two levels below the root of the project.
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(name);
    let mut seeds: Vec<_> = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} has no seeds", directory.display());
    let inputs: Vec<Vec<u8>> = seeds.iter().map(|path| fs::read(path).unwrap()).collect();
    let runs: u64 = match std::env::var("SWARMLAB_FUZZ_RUNS") {
        Ok(runs) => runs.parse().expect("SWARMLAB_FUZZ_RUNS is not a number"),
        Err(_) => 2_000,
    };
    for (path, seed) in seeds.iter().zip(&inputs) {
        for run in 0..runs {
            let mut random = Random(run);
            let other = &inputs[random.below(inputs.len())];
            let mut input = seed.clone();
            // Run 0 is the seed itself.
            for _ in 0..run.min(1 + run % 6) {
                random.mutate(&mut input, other);
            }
            if panic::catch_unwind(|| target(&input)).is_err() {
                panic!("{name}: {} after mutation {run}: {}", path.display(), input.escape_ascii());
            }
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, or 0.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// A range of at most 32 bytes within `len`.
    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        start..start + self.below((len - start).min(32) + 1)
    }

    fn mutate(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        /// Bytes and numbers at the edges of things.
        #[rustfmt::skip]
        const EDGES: &[&[u8]] = &[
            b"\0", b"\xff", b"e", b"i", b"l", b"d", b":", b"-", b"0", b"1", b"9", b"%", b"&", b"/", b"\\", b"..", b"\r\n",
            b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"9223372036854775807", b"4294967296",
            b"i-1e", b"0:", b"le", b"de",
        ];
        let range = self.range(input.len());
        match self.below(8) {
            0 => input.truncate(range.start),
            1 => drop(input.drain(range)),
            2 => input
                .splice(range.start..range.start, EDGES[self.below(EDGES.len())].iter().copied())
                .for_each(drop),
            3 => input.splice(range, EDGES[self.below(EDGES.len())].iter().copied()).for_each(drop),
            4 => {
                let from = self.range(other.len());
                input.splice(range.start..range.start, other[from].iter().copied()).for_each(drop);
            }
            5 => input.extend_from_within(range),
            _ => {
                if let Some(byte) = input.get_mut(range.start) {
                    *byte = match self.below(3) {
                        0 => *byte ^ 1 << self.below(8),
                        1 => byte.wrapping_add(1),
                        _ => self.next() as u8,
                    };
                }
            }
        }
    }
}
