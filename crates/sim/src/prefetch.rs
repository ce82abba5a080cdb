//! A hint to the processor: this memory is needed soon. The only unsafe code of the simulator.

/// Has the line of the cache at this address fetched. Any address will do: nothing is read, and nothing goes wrong.
#[inline]
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
pub(crate) fn prefetch(place: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: the instruction is part of every x86-64 processor, and ignores addresses it cannot reach.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) }
}

/// Has the line of the cache at this address fetched, where we know how to ask for it.
#[inline]
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn prefetch(_place: *const u8) {}

/// Has so many lines of a value fetched, from a byte on.
#[inline]
pub(crate) fn prefetch_lines<T, const LINES: usize>(value: &T, start: usize) {
    let start = std::ptr::from_ref(value).cast::<u8>().wrapping_add(start);
    (0..LINES).for_each(|line| prefetch(start.wrapping_add(64 * line)));
}
