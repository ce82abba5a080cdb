//! What one test stands on: its own folder, its own block of addresses, its deadline. Nothing of it is shared with
//! another test, so tests run beside each other.

use std::cell::Cell;
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::namespace;
use crate::process::{LOOK_AGAIN, Process};

/// The port every peer and tracker listens on: they differ by address.
const PORT: u16 = 6881;

/// The ground of one test.
pub(crate) struct Stage {
    folder: TempDir,
    number: u16,
    hosts: Cell<u8>,
    deadline: Instant,
}

impl Stage {
    /// Test number `number` (its address block), which fails when it is not through within `limit`.
    pub(crate) fn new(number: u16, limit: Duration) -> Result<Self, String> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).map_err(|error| error.to_string())?;
        Ok(Self { folder, number, hosts: Cell::new(0), deadline: Instant::now() + limit })
    }

    /// An address nobody else has, to listen on and to be known by.
    pub(crate) fn endpoint(&self) -> SocketAddrV4 {
        self.hosts.set(self.hosts.get() + 1);
        let address: Ipv4Addr = namespace::address(self.number, self.hosts.get());
        SocketAddrV4::new(address, PORT)
    }

    /// The test's folder.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A new folder of the test.
    pub(crate) fn make_folder(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.root().join(name);
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    /// Waits until `condition` gives `Ok(true)`; an `Err` from it ends the wait at once. `processes` have their last
    /// words in the failure.
    pub(crate) fn wait_until(
        &self,
        what: &str,
        processes: &mut [&mut Process],
        mut condition: impl FnMut(&mut [&mut Process]) -> Result<bool, String>,
    ) -> Result<(), String> {
        loop {
            let failure = match condition(processes) {
                Ok(true) => return Ok(()),
                Ok(false) if Instant::now() < self.deadline => {
                    thread::sleep(LOOK_AGAIN);
                    continue;
                }
                Ok(false) => format!("not in time: {what}"),
                Err(reason) => format!("{what}: {reason}"),
            };
            let words: Vec<String> = processes.iter().map(|process| process.last_words()).collect();
            return Err(format!("{failure}\n{}", words.concat()));
        }
    }
}
