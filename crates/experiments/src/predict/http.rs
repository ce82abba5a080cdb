//! The same nodes served by plain HTTP: every node downloads from the origin and from nobody else.
//!
//! The origin's uplinks `U` (of all seeds together, perfectly balanced) are shared as TCP shares a bottleneck at best: max-min
//! fair. With `n` downloads under way, each gets `min(d_i, theta)`, where `d_i` is its downlink and `theta` is such that the
//! rates add up to `U` (or no node wants more). Rates are what content gets of a link, as in [`crate::bound`]. There is no latency,
//! no slow start, no failure: real servers are slower. For `N` equal nodes that come together the last is done after
//! `max(N F / U, F / d)`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Download {
    /// When it begins, in microseconds.
    pub join: u64,
    /// What is to be fetched, in bytes.
    pub length: u64,
    /// The most it gets, in bytes of content per second.
    pub down: u64,
}

/// Downloads of nodes with equal downlinks. All have been served alike since they came.
struct Class {
    down: u64,
    /// What each node would have got if it had been here from the start, in byte-microseconds per second.
    served: u128,
    /// At what `served` a download ends, and when it began.
    ends: BinaryHeap<Reverse<(u128, u64)>>,
    rate: u64,
}

/// What becomes of the downloads, in microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// How long each takes, in the order of their ends.
    pub times: Vec<u64>,
    /// From the first beginning to the last end.
    pub last: u64,
}

/// Serves downloads from an origin that sends `up` bytes of content per second; `None` if nothing moves.
pub fn serve(mut downloads: Vec<Download>, up: u64) -> Option<Served> {
    if up == 0 || downloads.iter().any(|download| download.down == 0) {
        return None;
    }
    downloads.sort_unstable_by_key(|download| download.join);
    let mut rates: Vec<u64> = downloads.iter().map(|download| download.down).collect();
    rates.sort_unstable();
    rates.dedup();
    let class = |down| Class { down, served: 0, ends: BinaryHeap::new(), rate: 0 };
    let mut classes: Vec<Class> = rates.iter().map(|&down| class(down)).collect();
    let mut times = Vec::with_capacity(downloads.len());
    let mut coming = downloads.into_iter().peekable();
    let first = coming.peek()?.join;
    let mut now = first;
    loop {
        while let Some(download) = coming.next_if(|download| download.join <= now) {
            let class = &mut classes[rates.partition_point(|&down| down < download.down)];
            class.ends.push(Reverse((class.served + u128::from(download.length) * 1_000_000, now)));
        }
        share(&mut classes, up);
        let ending = classes.iter().filter_map(Class::time_to_end).min();
        let arriving = coming.peek().map(|next| u128::from(next.join - now));
        let Some(step) = ending.into_iter().chain(arriving).min() else {
            return Some(Served { times, last: now - first });
        };
        now = now.checked_add(u64::try_from(step).ok()?)?;
        for class in &mut classes {
            class.served += step * u128::from(class.rate);
            while let Some(Reverse((end, began))) = class.ends.peek().copied()
                && end <= class.served
            {
                class.ends.pop();
                times.push(now - began);
            }
        }
    }
}

/// Gives each class its rate: the slow ones what they take, the others an equal share of the rest.
fn share(classes: &mut [Class], up: u64) {
    let mut nodes: u64 = classes.iter().map(|class| class.ends.len() as u64).sum();
    let mut left = up;
    for class in classes {
        let here = class.ends.len() as u64;
        if here > 0 {
            class.rate = class.down.min((left / nodes).max(1));
            left = left.saturating_sub(class.rate * here);
            nodes -= here;
        }
    }
}

impl Class {
    /// Microseconds until its next download ends, rounded up.
    fn time_to_end(&self) -> Option<u128> {
        let Reverse((end, _)) = self.ends.peek()?;
        Some((end - self.served).div_ceil(u128::from(self.rate)).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn times(downloads: Vec<Download>, up: u64) -> Option<Vec<u64>> {
        serve(downloads, up).map(|served| served.times)
    }

    fn download(join: u64, length: u64, down: u64) -> Download {
        Download { join: join * SECOND, length, down }
    }

    #[test]
    fn equal_nodes_that_come_together() {
        let crowd = vec![download(0, 1_000, 100); 50];
        assert_eq!(times(crowd.clone(), 500), Some(vec![100 * SECOND; 50]), "N F / U");
        assert_eq!(times(crowd, 5_001), Some(vec![10 * SECOND; 50]), "F / d");
        assert_eq!(times(vec![download(0, 1, 1)], 0), None);
    }

    #[test]
    fn what_a_slow_node_leaves_goes_to_the_others() {
        // 10 B/s are shared: 2 for the slow node, 8 for the fast one, then the slow one goes on alone.
        let both = vec![download(0, 100, 2), download(0, 80, 50)];
        assert_eq!(times(both, 10), Some(vec![10 * SECOND, 50 * SECOND]));
    }

    #[test]
    fn who_comes_later_takes_a_share() {
        // Alone for 5 s at 10 B/s, then two at 5 B/s until the first has its 100 B.
        let two = vec![download(5, 100, 100), download(0, 100, 100)];
        assert_eq!(times(two, 10), Some(vec![15 * SECOND, 15 * SECOND]));
        // Nobody is there in between.
        let apart = vec![download(0, 100, 100), download(60, 100, 100)];
        let served = Served { times: vec![10 * SECOND, 10 * SECOND], last: 70 * SECOND };
        assert_eq!(serve(apart, 10), Some(served));
    }
}
