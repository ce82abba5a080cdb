//! Reduced models: what coarse blocks cost in accuracy, measured where fine ones are affordable.
//!
//! A reduced model has the links, latencies, clients and pieces of the full one, but few nodes and the first pieces only. It is
//! simulated with fine and with coarse blocks and the same seeds. There are two, the longer with four times the pieces of the
//! shorter: the longer one tells what is lost, and both together that this grows little with the content.

use std::time::Duration;

use swarmlab_metainfo::Layout;
use swarmlab_sim::{Arrive, Group, Model, Role};

/// Nodes of a reduced model.
const REDUCED_NODES: u64 = 24;
/// Blocks that all nodes of a reduced model receive at its finest.
const REDUCED_BLOCKS: u64 = 1_500_000;
/// Fewest pieces of the longer of the two reduced models, and fewest where several are made one; the other model has a quarter
/// of them.
const LEAST_PIECES: [u32; 2] = [64, 32];

/// A model small enough to be simulated with the finest blocks: the same links, latencies and pieces, but fewer nodes and
/// fewer pieces.
#[derive(Clone, Debug)]
pub struct Reduced {
    /// With fine blocks.
    pub fine: Model,
    /// Its pieces.
    pub pieces: u32,
}

impl Reduced {
    /// The shorter and the longer reduced form of a model of whose pieces so many are made one. They are the same where the content has few pieces.
    pub fn pair(model: &Model, merged: u32) -> [Reduced; 2] {
        let layout = model.content.layout;
        let nodes = leechers(model).clamp(1, REDUCED_NODES);
        let in_piece = u64::from(layout.piece_length()).div_ceil(u64::from(Layout::BLOCK_LEN));
        let pieces = u32::try_from(REDUCED_BLOCKS / (nodes * in_piece)).unwrap_or(u32::MAX);
        let long = pieces.max(LEAST_PIECES[0]).max(LEAST_PIECES[1] * merged).min(layout.piece_count());
        let short = (long / 4).max(8 * merged).min(long);
        [short, long].map(|pieces| Reduced { fine: reduced(model, pieces), pieces })
    }
}

fn leechers(model: &Model) -> u64 {
    model.groups.iter().filter(|group| group.role != Role::Seed).map(|group| u64::from(group.count)).sum()
}

fn reduced(full: &Model, pieces: u32) -> Model {
    let mut model = full.clone();
    let layout = full.content.layout;
    if pieces < layout.piece_count() {
        let length = u64::from(pieces) * u64::from(layout.piece_length());
        model.content.layout = Layout::new(length, layout.piece_length().into(), layout.block_len())
            .expect("fewer pieces of the same length");
    }
    let all = leechers(full).max(1);
    let kept = all.min(REDUCED_NODES);
    let shorter = |time: Duration| time * pieces / layout.piece_count();
    // Seeds keep their share of all uplinks, but none becomes slower than both itself and a leecher: that would be another swarm.
    let mean_up = full
        .groups
        .iter()
        .filter(|group| group.role != Role::Seed)
        .map(|group| u128::from(group.up) * u128::from(group.count))
        .sum::<u128>()
        / u128::from(all);
    let mut before = 0;
    for group in &mut model.groups {
        if group.role == Role::Seed {
            let share = u128::from(group.up) * u128::from(kept) / u128::from(all);
            group.up = share.max(mean_up.min(group.up.into())) as u64;
            continue;
        }
        // Of every `all / kept` nodes one stays, whatever group it is in.
        let after = before + u64::from(group.count);
        let count = after * kept / all - before * kept / all;
        before = after;
        group.arrive = thinned(group, count, all / kept, shorter);
        group.count = count as u32;
        group.abort = None;
        if let Role::AllBut(_) = group.role {
            group.role = Role::Leecher;
        }
    }
    model.groups.retain(|group| group.count > 0);
    model.faults.clear();
    model
}

/// How the nodes that stay arrive: in a time as much shorter as the content is.
fn thinned(group: &Group, count: u64, one_of: u64, shorter: impl Fn(Duration) -> Duration) -> Arrive {
    match &group.arrive {
        Arrive::Together(within) => Arrive::Together(shorter(*within)),
        Arrive::At(time) => Arrive::At(shorter(*time)),
        Arrive::Every(gap) => Arrive::Every(shorter(*gap) * one_of as u32),
        Arrive::Trace(times) => {
            let nth = |at: u64| times[(at * times.len() as u64 / count.max(1)) as usize];
            Arrive::Trace((0..count).map(nth).map(shorter).collect())
        }
        // A crowd that comes at once is the harder case, and has no rate to be scaled.
        Arrive::Poisson(_) | Arrive::Decaying { .. } => Arrive::At(Duration::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::tests::model;

    #[test]
    fn a_reduced_model_has_fewer_nodes_and_pieces() {
        let full = model("20 GB", 500);
        let [short, long] = Reduced::pair(&full, 1);
        assert_eq!((short.pieces, long.pieces), (16, 64));
        let layout = long.fine.content.layout;
        assert_eq!((layout.piece_count(), layout.piece_length()), (64, full.content.layout.piece_length()));
        assert_eq!(long.fine.groups[1].count, 24);
        assert_eq!(long.fine.groups[1].up, full.groups[1].up);
        // 10 Gbit/s for 500 are 480 Mbit/s for 24, which would be slower than a node.
        assert_eq!(long.fine.groups[0].up, full.groups[1].up);
    }

    #[test]
    fn what_is_small_is_not_reduced() {
        let full = model("64 MiB", 10);
        let [_, long] = Reduced::pair(&full, 1);
        assert_eq!(long.fine.content.layout, full.content.layout);
        assert_eq!(long.fine.groups[1].count, 10);
        assert_eq!(long.fine.groups[0].up, full.groups[0].up);
    }
}
