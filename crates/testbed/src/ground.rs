//! The network itself: namespaces that one process holds. When that process ends, whoever ends it, the bridge, the
//! interfaces and the names of the namespaces are gone, as far as no client is left in them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::error::TestbedError;
use crate::layout::{Layout, port};

/// Makes a place for the names of namespaces that only this namespace of mounts has, says so, and waits for the end of its
/// input: that comes when we end.
const HOLD: &str = "mount -t tmpfs none /run && mkdir /run/netns && echo ready && exec cat";

/// A network that exists.
pub(crate) struct Ground {
    holder: Child,
    layout: Layout,
}

/// Bytes that a peer's link has carried, headers included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) up: u64,
    pub(crate) down: u64,
}

impl Ground {
    /// Makes the network.
    pub(crate) fn make(layout: Layout) -> Result<Ground, TestbedError> {
        let mut command = outliving_nobody("unshare");
        command.args(["--net", "--mount", "--propagation", "private", "--", "sh", "-c", HOLD]);
        let mut holder =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(
                |error| TestbedError::Start("setpriv and unshare of util-linux".to_owned(), error),
            )?;
        let mut said = String::new();
        let read = holder.stdout.take().map(|out| BufReader::new(out).read_line(&mut said));
        let ground = Ground { holder, layout };
        if !matches!(read, Some(Ok(_))) || said.trim() != "ready" {
            return Err(TestbedError::NoGround(ground.complaint()));
        }
        ground.build()?;
        Ok(ground)
    }

    fn build(&self) -> Result<(), TestbedError> {
        batch(self.at_hub("ip"), &self.layout.hub_links())?;
        batch(self.at_hub("tc"), &self.layout.hub_queues())?;
        for peer in 0..self.layout.links.len() {
            batch(self.at_peer(peer, "ip"), &self.layout.peer_links(peer))?;
            batch(self.at_peer(peer, "tc"), &self.layout.peer_queue(peer))?;
        }
        Ok(())
    }

    /// A program beside the bridge.
    pub(crate) fn at_hub(&self, program: impl AsRef<Path>) -> Command {
        let mut command = outliving_nobody("nsenter");
        command.args(["--target", &self.holder.id().to_string(), "--mount", "--net", "--"]);
        command.arg(program.as_ref());
        command
    }

    /// A program in the namespace of a peer.
    pub(crate) fn at_peer(&self, peer: usize, program: impl AsRef<Path>) -> Command {
        let mut command = outliving_nobody("nsenter");
        command.args(["--target", &self.holder.id().to_string(), "--mount", "--"]);
        command.args(["ip", "netns", "exec", &self.layout.namespace(peer)]).arg(program.as_ref());
        command
    }

    /// The network namespace of a process, as a file that a thread can move into.
    pub(crate) fn namespace_of(process: u32) -> String {
        format!("/proc/{process}/ns/net")
    }

    /// The process that holds the namespace of the bridge.
    pub(crate) fn holder(&self) -> u32 {
        self.holder.id()
    }

    /// What each peer's link has carried so far; nothing where that cannot be read.
    pub(crate) fn carried(&self) -> Vec<Carried> {
        let text = fs::read_to_string(format!("/proc/{}/net/dev", self.holder.id())).unwrap_or_default();
        (0..self.layout.links.len()).map(|peer| carried(&text, &port(peer))).collect()
    }

    /// Why the process that holds everything has ended, in its words.
    fn complaint(mut self) -> String {
        let _ = self.holder.kill();
        let mut said = String::new();
        let errors = self.holder.stderr.take();
        let _ = errors.map(|errors| BufReader::new(errors).read_line(&mut said));
        if said.is_empty() { "no namespace can be made".to_owned() } else { said.trim().to_owned() }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

/// A command that the kernel kills when the thread that started it ends.
fn outliving_nobody(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    // `ip` and `tc` lie in /usr/sbin, which is not on everyone's path.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}

/// Runs `ip` or `tc` over lines of commands.
fn batch(mut command: Command, lines: &str) -> Result<(), TestbedError> {
    let name = command.get_args().last().unwrap_or_default().to_string_lossy().into_owned();
    let start = |error| TestbedError::Start(format!("{name} of iproute2"), error);
    command.args(["-batch", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(start)?;
    // A program that has failed before it read everything says why.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().map_err(start)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(TestbedError::Failed { program: format!("{name} -batch"), said })
}

/// The row of an interface in the kernel's table: received bytes are the first number, sent ones the ninth. Seen from the
/// bridge, what is received comes up from the peer.
fn carried(table: &str, interface: &str) -> Carried {
    let row =
        table.lines().filter_map(|line| line.trim().split_once(':')).find(|(name, _)| *name == interface);
    let numbers: Vec<u64> = row.map_or("", |row| row.1).split_whitespace().flat_map(str::parse).collect();
    let at = |place: usize| numbers.get(place).copied().unwrap_or(0);
    Carried { up: at(0), down: at(8) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_port() {
        let table = "Inter-|   Receive   |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
    lo:       0       0    0    0    0     0          0         0        0       0    0    0
   v1: 4183122    2773    0    0    0     0          0         0    92854    1401    0    0
  v11:       1       2    0    0    0     0          0         0        3       4    0    0
";
        assert_eq!(carried(table, "v1"), Carried { up: 4_183_122, down: 92_854 });
        assert_eq!(carried(table, "v11"), Carried { up: 1, down: 3 });
        assert_eq!(carried(table, "v2"), Carried::default());
    }
}
