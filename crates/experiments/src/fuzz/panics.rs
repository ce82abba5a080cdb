//! A panic as a finding: caught, with its place, and without a word on standard error.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does something; what it panicked with, and where, if it did. Other threads' panics are told as ever.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() {
                let place = info.location().map(|place| format!("{}:{}", place.file(), place.line()));
                PLACE.with_borrow_mut(|last| *last = place);
            } else {
                before(info);
            }
        }));
    });
    CATCHING.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(false);
    let place = PLACE.take();
    result.map_err(|payload| {
        let said = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned());
        let said = said.unwrap_or_else(|| "no text".to_owned());
        place.map_or(said.clone(), |place| format!("{said} ({place})"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place() {
        let said = caught(|| -> u32 { panic!("seven of {}", 9) }).unwrap_err();
        assert!(said.starts_with("seven of 9 (") && said.contains("panics.rs:"), "{said}");
        assert_eq!(caught(|| 7), Ok(7));
    }
}
