//! A torrent, its content on disk, and endpoints for it.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use sha1::{Digest, Sha1};
use swarmlab_metainfo::{Draft, DraftFile, Metainfo};
use swarmlab_protocol::{Bitfield, Block};
use tempfile::TempDir;

use crate::disk::{self, Content};
use crate::endpoint::{Endpoint, EndpointConfig, Snapshot};
use crate::tree::Work;

/// Longest a test waits for anything: far more than a busy machine needs.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

const PIECE: u32 = 32 * 1024;

pub(super) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

pub(super) fn loopback6() -> SocketAddr {
    (Ipv6Addr::LOCALHOST, 0).into()
}

pub(super) fn work() -> Work<'static> {
    static RUNNING: AtomicBool = AtomicBool::new(false);
    Work { threads: NonZeroUsize::MIN, progress: &|_| {}, stop: &RUNNING }
}

/// A torrent with its content in `seed/` of a temporary directory; leeches write to other directories of it.
pub(super) struct Rig {
    pub(super) dir: TempDir,
    pub(super) torrent: Arc<Metainfo>,
    /// The content, end to end.
    pub(super) bytes: Vec<u8>,
}

impl Rig {
    /// A torrent of these files, which hold bytes without a pattern; names that begin with `.pad` are pad files.
    pub(super) fn new(files: &[(&str, usize)]) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let mut random = swarmlab_protocol::Random::new(1);
        let mut bytes = Vec::new();
        let single = files.len() == 1;
        let mut drafts = Vec::new();
        for &(name, len) in files {
            let pad = name.starts_with(".pad");
            let start = bytes.len();
            bytes.extend((0..len).map(|_| if pad { 0 } else { random.bits() as u8 }));
            drafts.push(DraftFile {
                path: name.split('/').map(str::to_owned).collect(),
                length: len as u64,
                pad,
                executable: false,
            });
            if !pad {
                let path = dir.path().join("seed").join(if single { "" } else { "many" }).join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, &bytes[start..]).unwrap();
            }
        }
        let draft = Draft {
            name: if single { files[0].0.into() } else { "many".into() },
            files: if single { vec![DraftFile::single(files[0].1 as u64)] } else { drafts },
            piece_length: PIECE,
            hashes: bytes.chunks(PIECE as usize).flat_map(|piece| Sha1::digest(piece).to_vec()).collect(),
            ..Draft::default()
        };
        let torrent = Arc::new(Metainfo::from_bytes(&draft.to_bytes().unwrap()).unwrap());
        Rig { dir, torrent, bytes }
    }

    /// The right bytes of a block.
    pub(super) fn block(&self, block: Block) -> Vec<u8> {
        let at = self.torrent.layout().block_offset(block) as usize;
        self.bytes[at..at + block.len as usize].to_vec()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where the default leech writes.
    pub(super) fn target(&self) -> Content {
        Content::below(Arc::clone(&self.torrent), &self.path("leech"))
    }

    /// A seed that listens on this address.
    pub(super) async fn seed(&self, listen: SocketAddr) -> Endpoint {
        self.seed_with(|config| config.listen = Some(listen)).await
    }

    pub(super) async fn seed_with(&self, change: impl FnOnce(&mut EndpointConfig)) -> Endpoint {
        let content = Content::below(Arc::clone(&self.torrent), &self.path("seed"));
        let have = Bitfield::full(self.torrent.layout().piece_count());
        let mut config = EndpointConfig::seed(Arc::new(content), have);
        config.listen = Some(loopback());
        change(&mut config);
        Endpoint::start(config).await.unwrap()
    }

    /// A leech that writes below `leech/`.
    pub(super) async fn leech(&self, change: impl FnOnce(&mut EndpointConfig)) -> Endpoint {
        self.leech_in("leech", change).await
    }

    pub(super) async fn leech_in(&self, dir: &str, change: impl FnOnce(&mut EndpointConfig)) -> Endpoint {
        let content = Arc::new(Content::below(Arc::clone(&self.torrent), &self.path(dir)));
        let found = disk::find(&content, false, work()).unwrap();
        let resume = disk::place(&content, &found.have).unwrap();
        let mut config = EndpointConfig::download(content, found.have, resume);
        config.listen = Some(loopback());
        change(&mut config);
        Endpoint::start(config).await.unwrap()
    }

    pub(super) async fn completes(&self, leech: &Endpoint) {
        wait_for(leech, |snapshot| snapshot.is_complete()).await;
    }

    /// Compares every file of the default leech with the seed's.
    pub(super) fn assert_identical(&self) {
        self.assert_identical_in("leech");
    }

    pub(super) fn assert_identical_in(&self, dir: &str) {
        for (number, file) in self.torrent.files().iter().enumerate() {
            let path = Content::below(Arc::clone(&self.torrent), &self.path(dir)).path_of(number);
            if file.pad {
                assert!(!path.exists(), "a pad file was written");
                continue;
            }
            let (start, end) = (file.offset as usize, (file.offset + file.length) as usize);
            assert!(read(&path) == self.bytes[start..end], "{} differs", path.display());
        }
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Waits until the endpoint's state is such.
pub(super) async fn wait_for(endpoint: &Endpoint, done: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    let mut watch = endpoint.watch();
    let waiting = watch.wait_for(|snapshot| done(snapshot));
    match tokio::time::timeout(PATIENCE, waiting).await {
        Ok(snapshot) => Arc::clone(&snapshot.expect("the endpoint is there")),
        Err(_) => panic!("not in time: {:#?}", endpoint.snapshot()),
    }
}
