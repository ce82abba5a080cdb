//! The private world the clients live in: a network namespace with nothing but `lo`, so that no peer can reach, or be
//! reached by, anything outside this test, and a process namespace, so that nothing outlives it.
//!
//! The test binary runs itself once more inside (`util-linux` makes the namespaces, `iproute2` the addresses). Every
//! address of 198.18.0.0/15 (RFC 2544, benchmarking) is local in there: clients that drop 127.0.0.0/8, keep one peer per
//! address, or treat RFC 1918 addresses as a fast local net behave as they would on the Internet. This module refuses to
//! guess: where the kernel or a container forbids namespaces it says why, and the caller leaves the tests out.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::net::Ipv4Addr;
use std::process::{Command, ExitStatus, Stdio};

/// Set for the run inside, so that it does not enter again.
const INSIDE: &str = "SWARMLAB_INTEROP_INSIDE";

/// Brings up the loopback interface with its addresses, then becomes the program named by its arguments.
const SET_UP: &str = "ip link set lo up && ip addr add 198.18.0.1/15 dev lo && exec \"$@\"";

/// Whether this process already runs in the private world.
pub(crate) fn inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// A way in that the kernel allows here.
#[derive(Clone, Copy)]
pub(crate) struct WayIn(&'static [&'static str]);

/// By one's own rights, or those of a user namespace: with one's own user id, because some clients refuse to run as root,
/// or as its root where that is what one is.
const WAYS_IN: [WayIn; 3] = [
    WayIn(&[]),
    WayIn(&["--user", "--map-current-user", "--keep-caps"]),
    WayIn(&["--user", "--map-root-user"]),
];

/// Tries each whole way in with a program that does nothing; why the first failed if all do.
pub(crate) fn find_way_in() -> Result<WayIn, String> {
    let attempts = WAYS_IN.map(|way| attempt(way).map(|()| way));
    let first_failure = attempts[0].clone();
    attempts.into_iter().find(Result::is_ok).unwrap_or(first_failure)
}

fn attempt(way: WayIn) -> Result<(), String> {
    let output = entry(way, OsStr::new("true"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("setpriv of util-linux: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next().unwrap_or("unshare gave no reason").to_owned())
}

/// Runs this same binary inside with the same arguments and waits for it.
pub(crate) fn run_self_inside(way: WayIn) -> io::Result<ExitStatus> {
    entry(way, env::current_exe()?.as_os_str()).args(env::args_os().skip(1)).env(INSIDE, "1").status()
}

/// The address of `host` in the block of test number `test`: 198.18.0.0/15 holds 512 blocks of 256 addresses.
pub(crate) fn address(test: u16, host: u8) -> Ipv4Addr {
    assert!(test < 511, "more tests than address blocks");
    let block = test + 1; // block 0 holds the interface's own address
    Ipv4Addr::new(198, 18 + (block >> 8) as u8, (block & 0xff) as u8, host)
}

/// `setpriv` lets the kernel kill `unshare` when this process dies however it dies, and `--kill-child` passes that on to
/// the first process of the namespace, with which all others end.
fn entry(way: WayIn, program: &OsStr) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare"]);
    command.args(way.0);
    command.args(["--net", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", SET_UP, "sh"]);
    command.arg(program).env("PATH", search_path());
    command
}

/// `ip` lies in /usr/sbin, which is not on everyone's path.
fn search_path() -> String {
    format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap_or_default())
}
