//! Real bytes through the simulated network.

use std::sync::Arc;

use swarmlab_metainfo::sha1;
use swarmlab_sim::{Behaviour, End, RealContent, Role};

use super::{completed, group, model, run, swarm};

#[test]
fn real_bytes_are_hashed_for_real_and_a_corrupter_is_caught() {
    let bytes: Arc<[u8]> = (0..4u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let hashes: Arc<[[u8; 20]]> = bytes.chunks(64 << 10).map(sha1).collect();
    let mut bad = group("bad", Role::Seed, 1);
    bad.behaviour = Behaviour::Corrupter;
    let mut real = model(vec![group("origin", Role::Seed, 1), group("honest", Role::Leecher, 4), bad]);
    let marked = run(real.clone());
    real.content.real = Some(RealContent { bytes: bytes.clone(), hashes });
    let outcome = run(real.clone());
    assert_eq!((outcome.end.clone(), completed(&outcome, 1)), (End::LeechersDone, 4));
    assert_eq!((outcome.true_copies, marked.true_copies), (Some(4), None));
    assert_eq!(outcome.digest, marked.digest, "marks stand for bytes");
    // With hashes of something else nobody gets anywhere: they really are computed.
    real.content.real = Some(RealContent { bytes, hashes: vec![[0; 20]; 64].into() });
    real.run.max_time = super::seconds(200);
    let outcome = run(real);
    assert_eq!((completed(&outcome, 1), outcome.true_copies), (0, Some(0)));
}

#[test]
fn without_corruption_real_bytes_change_nothing() {
    let bytes: Arc<[u8]> = vec![7; 4 << 20].into();
    let hashes: Arc<[[u8; 20]]> = bytes.chunks(64 << 10).map(sha1).collect();
    let mut real = swarm(5);
    real.content.real = Some(RealContent { bytes, hashes });
    assert_eq!(run(real).digest, run(swarm(5)).digest);
}
