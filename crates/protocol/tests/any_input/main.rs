//! The engine takes any sequence of inputs without a panic, keeps its bounds, and never speaks to a link that is gone.

mod inputs;

use proptest::prelude::*;
use swarmlab_protocol::Random;

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        inputs::drive(&bytes);
    }
}

#[test]
fn long_runs() {
    let mut reached = (0, 0);
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let bytes: Vec<u8> = (0..8_000).map(|_| random.bits() as u8).collect();
        let (stored, banned) = inputs::drive(&bytes);
        reached = (reached.0 + stored, reached.1 + banned);
    }
    assert!(reached.0 > 2_000 && reached.1 > 20, "the runs reach next to nothing: {reached:?}");
}
