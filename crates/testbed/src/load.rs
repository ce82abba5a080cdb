//! How busy the machine was: a swarm that has to wait for a processor is slower than its links.

use std::fs;

use swarmlab_experiments::numbers::Decimal;

/// Ticks that all processors together have spent so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    busy: u64,
    all: u64,
}

impl Load {
    /// Until now; nothing where the kernel does not tell.
    pub(crate) fn now() -> Load {
        Load::of(&fs::read_to_string("/proc/stat").unwrap_or_default())
    }

    /// The first line: user, nice, system, idle, waiting for disks, interrupts of two kinds, stolen.
    fn of(table: &str) -> Load {
        let line = table.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or_default();
        let ticks: Vec<u64> = line.split_whitespace().flat_map(str::parse).take(8).collect();
        let all: u64 = ticks.iter().sum();
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        Load { busy: all - idle, all }
    }

    /// The share that was busy since an earlier moment.
    pub(crate) fn since(self, earlier: Load) -> Option<Decimal> {
        let (busy, all) = (self.busy.saturating_sub(earlier.busy), self.all.saturating_sub(earlier.all));
        Decimal::ratio(busy.into(), all.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_not_work() {
        let then = Load::of("cpu  10 0 10 70 10 0 0 0 5 5\ncpu0 1 2 3\n");
        assert_eq!(then, Load { busy: 20, all: 100 });
        let now = Load::of("cpu  40 0 20 120 20 0 0 0 5 5\n");
        assert_eq!(now.since(then), Decimal::ratio(4, 10));
        assert_eq!((then.since(then), Load::of("")), (None, Load::default()));
    }
}
