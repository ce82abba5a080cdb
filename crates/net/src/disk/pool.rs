//! Buffers for reads, used again and again: fresh ones cost page faults, which cost more than the read.

use std::sync::mpsc;

use bytes::Bytes;

/// Longest read at once, in bytes.
pub(super) const LARGEST: u32 = 256 * 1024;

/// Shortest buffer: one block.
const SMALLEST: usize = 16 * 1024;

/// Free buffers kept of each size.
const KEPT: usize = 8;

/// Free buffers by size: 16 KiB and each power of two above.
#[derive(Debug)]
pub(super) struct Pool {
    free: [Vec<Box<[u8]>>; 6],
    returned: mpsc::Receiver<Box<[u8]>>,
    home: mpsc::Sender<Box<[u8]>>,
}

impl Default for Pool {
    fn default() -> Self {
        let (home, returned) = mpsc::channel();
        Pool { free: Default::default(), returned, home }
    }
}

/// A buffer in use; goes home when the last slice of it is dropped, on whichever thread that is.
struct Lent {
    buffer: Box<[u8]>,
    len: usize,
    home: mpsc::Sender<Box<[u8]>>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        _ = self.home.send(std::mem::take(&mut self.buffer));
    }
}

impl Pool {
    /// A buffer of `len` bytes (at most 512 KiB), filled by `read`.
    pub(super) fn fill<E>(
        &mut self,
        len: usize,
        read: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Bytes, E> {
        while let Ok(buffer) = self.returned.try_recv() {
            let free = &mut self.free[class(buffer.len())];
            if free.len() < KEPT {
                free.push(buffer);
            }
        }
        let class = class(len);
        let fresh = || vec![0; (SMALLEST << class).max(len)].into_boxed_slice();
        let buffer = self.free[class].pop().unwrap_or_else(fresh);
        let mut lent = Lent { buffer, len, home: self.home.clone() };
        read(&mut lent.buffer[..len])?;
        Ok(Bytes::from_owner(lent))
    }
}

/// Which list a buffer of `len` bytes is on.
fn class(len: usize) -> usize {
    (len.div_ceil(SMALLEST).next_power_of_two().trailing_zeros() as usize).min(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_home_when_the_last_slice_goes() {
        let mut pool = Pool::default();
        let read = |buffer: &mut [u8]| {
            buffer.fill(7);
            Ok::<_, ()>(())
        };
        let whole = pool.fill(40_000, read).unwrap();
        let slice = whole.slice(10..20);
        let address = whole.as_ptr();
        drop(whole);
        assert_ne!(pool.fill(40_000, read).unwrap().as_ptr(), address);
        assert_eq!(slice[..], [7; 10]);
        drop(slice);
        let used = [pool.fill(40_000, read).unwrap(), pool.fill(60_000, read).unwrap()];
        assert!(used.iter().any(|buffer| buffer.as_ptr() == address));
        assert_eq!([used[0].len(), used[1].len()], [40_000, 60_000]);
    }

    #[test]
    fn sizes_round_up_to_powers_of_two() {
        assert_eq!([1, 16_384, 16_385, 32_768, 262_144, 300_000].map(class), [0, 0, 1, 1, 4, 5]);
        assert_eq!(Pool::default().fill(524_288, |_| Ok::<_, ()>(())).unwrap().len(), 524_288);
    }
}
