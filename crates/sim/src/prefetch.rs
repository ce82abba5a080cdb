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

/// Has a part of a value fetched, given by its bytes.
#[inline]
pub(crate) fn prefetch_part<T>(value: &T, part: std::ops::Range<usize>) {
    let start = std::ptr::from_ref(value).cast::<u8>();
    part.step_by(64).for_each(|line| prefetch(start.wrapping_add(line)));
}
