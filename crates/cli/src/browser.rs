//! Opening a page in the user's browser, where there is one. Nothing depends on it: the address was printed before.

use std::process::{Command, Stdio};
use std::thread;

use crate::env::Env;

/// What opens an address as the user would.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// Opens a page if somebody sits at this terminal and there is a desktop to show it on; says nothing if it does not work.
pub(crate) fn open(env: &Env, url: &str) {
    if !env.err_is_terminal()
        || !has_desktop(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    {
        return;
    }
    let mut command = Command::new(OPENER);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(mut child) = command.spawn() {
        // Whoever starts a process has to wait for it, and a browser may take its time.
        thread::spawn(move || child.wait());
    }
}

/// Whether a window could be shown. Without one, `xdg-open` may start a browser in the terminal, over our own words.
fn has_desktop(is_set: impl Fn(&str) -> bool) -> bool {
    cfg!(target_os = "macos") || is_set("WAYLAND_DISPLAY") || is_set("DISPLAY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_needs_a_desktop() {
        assert!(has_desktop(|name| name == "DISPLAY") && has_desktop(|name| name == "WAYLAND_DISPLAY"));
        assert_eq!(has_desktop(|_| false), cfg!(target_os = "macos"));
    }
}
