//! Which programs a testbed needs, and whether this machine has them.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::client::Client;

/// What keeps this machine from a testbed with this client, in words with the package that helps; empty if nothing does.
pub fn missing(client: Client) -> Vec<String> {
    let mut missing = Vec::new();
    if !cfg!(target_os = "linux") {
        missing.push("Linux".to_owned());
    } else if !rustix::process::geteuid().is_root() {
        missing.push("root (try sudo, or unshare --user --map-root-user)".to_owned());
    }
    let tools = [("iproute2", &["ip", "tc"][..]), ("util-linux", &["setpriv", "unshare", "nsenter"])];
    let program: Option<(&str, &[&str])> = match client {
        Client::Swarmlab | Client::Libtorrent => None,
        Client::Transmission => Some(("transmission-daemon", &["transmission-daemon"])),
        Client::Aria2 => Some(("aria2", &["aria2c"])),
    };
    for (package, names) in tools.into_iter().chain(program) {
        let names: Vec<&str> = names.iter().copied().filter(|name| find(name).is_none()).collect();
        if !names.is_empty() {
            missing.push(format!("{} (package {package})", names.join(" and ")));
        }
    }
    if client == Client::Libtorrent && python().is_none() {
        missing.push("a python3 with libtorrent (package python3-libtorrent)".to_owned());
    }
    missing
}

/// A Python that has the libtorrent binding: the first on the path, or the system's own when another one hides it.
pub fn python() -> Option<&'static str> {
    static PYTHON: OnceLock<Option<&str>> = OnceLock::new();
    *PYTHON.get_or_init(|| {
        ["python3", "/usr/bin/python3"].into_iter().find(|python| {
            let mut command = Command::new(python);
            command.args(["-c", "import libtorrent"]).stdin(Stdio::null());
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        })
    })
}

/// What a client says of itself: its name and version.
pub(crate) fn version(client: Client) -> String {
    let said = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).lines().next().map(|line| line.trim().to_owned())
    };
    let said = match client {
        Client::Swarmlab => None,
        Client::Libtorrent => python().and_then(|python| {
            let script = "import libtorrent; print('libtorrent', libtorrent.__version__)";
            said(Command::new(python).args(["-c", script]))
        }),
        // Name and version; the commit it was built from follows.
        Client::Transmission => said(Command::new("transmission-daemon").arg("--version"))
            .and_then(|line| line.split_once(" (").map(|(name, _)| name.to_owned())),
        Client::Aria2 => said(Command::new("aria2c").arg("--version")),
    };
    said.unwrap_or_else(|| format!("{} {}", client.name(), env!("CARGO_PKG_VERSION")))
}

/// The kernel and its version.
pub(crate) fn kernel() -> String {
    let system = rustix::system::uname();
    format!("{} {}", system.sysname().to_string_lossy(), system.release().to_string_lossy())
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
