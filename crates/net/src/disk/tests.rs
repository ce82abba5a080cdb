use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use swarmlab_protocol::Bitfield;
use tokio::sync::mpsc::unbounded_channel;

use super::testing::{PIECE, bytes, content};
use super::*;
use crate::conn::testing::{key, to_writer};
use crate::tree::Work;

const FILES: [(&str, u64); 4] = [("a", 100), ("d/empty", 0), (".pad", 28), ("d/b", 200)];

/// The bytes of [`FILES`] on disk below `dir`.
fn write_all_files(dir: &Path) {
    let all = bytes(328);
    fs::create_dir_all(dir.join("many/d")).unwrap();
    fs::write(dir.join("many/a"), &all[..100]).unwrap();
    fs::write(dir.join("many/d/empty"), "").unwrap();
    fs::write(dir.join("many/d/b"), &all[128..]).unwrap();
}

fn found(content: &Arc<Content>, recheck: bool) -> Result<Found, PlaceError> {
    find(content, recheck, work())
}

fn work() -> Work<'static> {
    static RUNNING: AtomicBool = AtomicBool::new(false);
    Work { threads: NonZeroUsize::MIN, progress: &|_| {}, stop: &RUNNING }
}

#[test]
fn every_piece_of_whole_files_is_found_and_damage_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let content = content(dir.path(), &FILES);
    write_all_files(dir.path());
    assert!(content.check(work()).unwrap().is_full());
    let mut damaged = fs::read(dir.path().join("many/d/b")).unwrap();
    damaged[70] ^= 1;
    fs::write(dir.path().join("many/d/b"), &damaged).unwrap();
    let have = found(&content, false).unwrap().have;
    let lacking: Vec<_> = content.layout().pieces().filter(|&piece| !have.contains(piece)).collect();
    assert_eq!(lacking, [PieceIndex((128 + 70) / PIECE as u32)]);
    fs::write(dir.path().join("many/d/b"), &damaged[..10]).unwrap();
    assert_eq!(found(&content, false).unwrap().have.count(), 2);
}

#[test]
fn nothing_there_is_nothing_to_hash() {
    let dir = tempfile::tempdir().unwrap();
    let content = content(&dir.path().join("new"), &FILES);
    let found = found(&content, true).unwrap();
    assert!(found.have.is_empty() && !found.hashed);
    place(&content, &found.have).unwrap();
    let length = |path| fs::metadata(dir.path().join("new/many").join(path)).map(|meta| meta.len()).ok();
    assert_eq!(
        [length("a"), length("d/empty"), length("d/b"), length(".pad")],
        [Some(100), Some(0), Some(200), None]
    );
}

#[test]
fn placing_takes_no_space() {
    let dir = tempfile::tempdir().unwrap();
    let huge = content(dir.path(), &[("huge", 1 << 20)]);
    place(&huge, &Bitfield::empty(huge.layout().piece_count())).unwrap();
    let meta = fs::metadata(dir.path().join("huge")).unwrap();
    assert_eq!(meta.len(), 1 << 20);
    assert!(meta.blocks() < 64, "{} blocks", meta.blocks());
}

#[test]
fn foreign_files_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let content = content(dir.path(), &FILES);
    fs::create_dir_all(dir.path().join("many/d")).unwrap();
    let refused = |path: &str, bytes: &[u8]| {
        let path = dir.path().join("many").join(path);
        fs::write(&path, bytes).unwrap();
        let error = found(&content, true).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
        fs::remove_file(&path).unwrap();
    };
    refused("a", &[1; 101]);
    refused("a", &[1; 100]);
    refused("d/b", &[1; 3]);
    fs::create_dir(dir.path().join("many/a")).unwrap();
    assert!(matches!(found(&content, false), Err(PlaceError::NotAFile(path)) if path.ends_with("many/a")));
    assert!(!Resume::path(&content).exists());
}

#[test]
fn damaged_files_of_ours_are_fetched_again() {
    let dir = tempfile::tempdir().unwrap();
    let content = content(dir.path(), &FILES);
    place(&content, &Bitfield::empty(content.layout().piece_count())).unwrap();
    fs::write(dir.path().join("many/a"), [1; 100]).unwrap();
    assert!(found(&content, false).unwrap().have.is_empty());
}

#[test]
fn links_out_of_the_directory_are_not_followed_to_make_files() {
    let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    symlink(outside.path(), dir.path().join("many")).unwrap();
    let content = content(dir.path(), &FILES);
    assert!(found(&content, false).is_err());
    assert!(place(&content, &Bitfield::empty(content.layout().piece_count())).is_err());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn resume_state_is_believed_until_a_file_changes() {
    let dir = tempfile::tempdir().unwrap();
    let content = content(dir.path(), &FILES);
    let mut have = Bitfield::empty(content.layout().piece_count());
    let mut resume = place(&content, &have).unwrap();
    write_all_files(dir.path());
    have.insert(PieceIndex(1));
    assert!(matches!(Resume::load(&content), Err(ResumeError::Changed(_))));
    resume.save(&have).unwrap();
    let believed = found(&content, false).unwrap();
    assert_eq!((believed.have, believed.hashed), (have.clone(), false));
    assert!(found(&content, true).unwrap().have.is_full(), "a recheck hashes");

    fs::write(dir.path().join("many/a"), &bytes(100)[..99]).unwrap();
    assert!(matches!(Resume::load(&content), Err(ResumeError::Changed(path)) if path.ends_with("a")));
    let hashed = found(&content, false).unwrap();
    assert!(hashed.hashed && hashed.have.count() == content.layout().piece_count() - 1);

    resume.remove().unwrap();
    resume.remove().unwrap();
    assert!(matches!(Resume::load(&content), Err(ResumeError::Missing)));
}

#[test]
fn damaged_resume_states_are_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let files = content(dir.path(), &FILES);
    place(&files, &Bitfield::empty(files.layout().piece_count())).unwrap();
    let path = Resume::path(&files);
    let good = fs::read(&path).unwrap();
    assert!(Resume::load(&files).is_ok());
    for cut in 0..good.len() {
        fs::write(&path, &good[..cut]).unwrap();
        assert!(matches!(Resume::load(&files), Err(ResumeError::Foreign)), "cut to {cut} bytes");
    }
    let other = content(dir.path(), &[("x", 5)]);
    fs::write(Resume::path(&other), &good).unwrap();
    assert!(matches!(Resume::load(&other), Err(ResumeError::Foreign)));
}

#[test]
fn blocks_stored_verify_and_are_read_back_in_runs() {
    let dir = tempfile::tempdir().unwrap();
    let content = content(dir.path(), &FILES);
    place(&content, &Bitfield::empty(content.layout().piece_count())).unwrap();
    let (events, mut told) = unbounded_channel();
    let disk = Disk::start(&content, true, events);
    let layout = content.layout();
    let mut all = bytes(328);
    all[100..128].fill(0);
    let block = |piece| layout.block(piece, 0);
    let blocks = layout.pieces().map(|piece| {
        let at = layout.piece_offset(piece) as usize;
        (block(piece), Bytes::copy_from_slice(&all[at..at + layout.piece_len(piece) as usize]))
    });
    disk.write(WriteJob::Store { blocks: blocks.collect(), permit: None });
    layout.pieces().for_each(|piece| disk.write(WriteJob::Verify(piece)));
    for piece in layout.pieces() {
        let event = told.blocking_recv().unwrap();
        assert!(matches!(event, DiskEvent::Verified { piece: told, ok: true } if told == piece), "{event:?}");
    }
    let (to, mut outgoing) = to_writer();
    let wanted = [0, 1, 2, 4, 5, 3].map(|piece| block(PieceIndex(piece)));
    disk.read(ReadJob { key: key(1), blocks: wanted.to_vec(), to });
    let mut read = Vec::new();
    for run in [3, 2, 1] {
        let Some(Outgoing::Blocks(blocks)) = outgoing.blocking_recv() else { panic!("blocks") };
        assert_eq!(blocks.len(), run);
        read.extend(blocks);
    }
    for ((block, bytes), wanted) in read.into_iter().zip(wanted) {
        let at = layout.block_offset(block) as usize;
        assert_eq!((block, &bytes[..]), (wanted, &all[at..at + block.len as usize]));
    }
    disk.finish();
}

#[test]
fn failures_name_the_file_and_the_piece() {
    let dir = tempfile::tempdir().unwrap();
    let content = content(dir.path(), &[("f", 100)]);
    let (events, mut told) = unbounded_channel();
    let disk = Disk::start(&content, true, events);
    let block = content.layout().block(PieceIndex(1), 0);
    let blocks = vec![(block, Bytes::from(vec![0; block.len as usize]))];
    disk.write(WriteJob::Store { blocks, permit: None });
    let Some(DiskEvent::StoreFailed { piece: PieceIndex(1), error }) = told.blocking_recv() else { panic!() };
    assert_eq!(error.path, dir.path().join("f"));
    let (to, mut outgoing) = to_writer();
    disk.read(ReadJob { key: key(7), blocks: vec![block], to });
    assert!(matches!(outgoing.blocking_recv(), Some(Outgoing::Unreadable(1))));
    assert!(matches!(told.blocking_recv(), Some(DiskEvent::ReadFailed { key: told, .. }) if told == key(7)));
}

#[test]
fn full_device_is_an_error_with_its_name() {
    // A device that is always full stands in for the file: every write to it is ENOSPC.
    let mut files = files::Files::new(content(Path::new("/dev"), &[("full", 100)]), files::Access::Write);
    let error = files.write(0, &[1; 64]).unwrap_err();
    assert_eq!(error.source.kind(), std::io::ErrorKind::StorageFull);
    assert!(error.to_string().starts_with("cannot write /dev/full: "), "{error}");
}
