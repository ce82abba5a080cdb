//! Tests that this machine cannot run: left out loudly, or failed where everything is required.

use std::env;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Completion, Failed, Trial};

/// The tests that could not run and what they lacked. Clones are the same list.
#[derive(Clone, Default)]
pub(crate) struct LeftOut(Arc<Mutex<Vec<String>>>);

impl LeftOut {
    /// A test that runs unless something is lacking, which it then names.
    pub(crate) fn trial(
        &self,
        name: String,
        lacking: impl FnOnce() -> Option<String> + Send + 'static,
        act: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) -> Trial {
        let (left_out, shown) = (self.clone(), name.clone());
        Trial::ignorable_test(name, move || {
            let Some(lacking) = lacking() else {
                act()?;
                return Ok(Completion::Completed);
            };
            if env::var("SWARMLAB_REQUIRE_ALL").is_ok_and(|value| value == "1") {
                return Err(Failed::from(format!("SWARMLAB_REQUIRE_ALL=1, and this test needs {lacking}")));
            }
            let line = format!("LEFT OUT: {shown} (needs {lacking})");
            left_out.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            Ok(Completion::ignored_with(format!("needs {lacking}")))
        })
    }

    /// Prints what was left out, and how much of `what` it is.
    pub(crate) fn report(&self, what: &str) {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().for_each(|line| println!("{line}"));
        if !lines.is_empty() {
            println!("LEFT OUT: {} {what} did not run on this machine", lines.len());
        }
    }
}
