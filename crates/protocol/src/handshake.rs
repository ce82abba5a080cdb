//! The handshake: the 68 bytes that open every peer connection (BEP 3).
//!
//! [`Handshaking`] takes the remote's bytes as they come, in parts of any size, and refuses the first one that cannot
//! be right. It says when to answer and when the remote is known; it sends nothing itself and has no time limit, both
//! are the driver's.

use core::fmt;

use swarmlab_metainfo::InfoHash;

use crate::{Direction, Random};

/// The length of the protocol's name and the name.
const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";

/// Where the parts of a handshake begin: reserved bytes, info hash, peer id.
const RESERVED: usize = 20;
const INFO_HASH: usize = 28;
const PEER_ID: usize = 48;

/// The 20 bytes by which a peer calls itself (BEP 3; conventions in BEP 20).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub [u8; 20]);

impl PeerId {
    /// A fresh id in Azureus style: client `SL`, version 0.1.0.0, then twelve random letters and digits (BEP 20).
    pub fn random(random: &mut Random) -> Self {
        const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut id = *b"-SL0100-            ";
        for byte in &mut id[8..] {
            *byte = ALPHABET[random.below(ALPHABET.len() as u32) as usize];
        }
        PeerId(id)
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            match byte {
                b'!'..=b'~' => write!(f, "{}", byte as char)?,
                _ => write!(f, "%{byte:02x}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({self})")
    }
}

/// The eight reserved bytes of the handshake: one bit per extension (BEP 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reserved(pub [u8; 8]);

impl Reserved {
    /// What this engine speaks: the fast extension (BEP 6).
    pub const OURS: Reserved = Reserved([0, 0, 0, 0, 0, 0, 0, 0x04]);

    /// Whether the fast extension is spoken (BEP 6, the bit 0x04 of the last byte).
    pub const fn fast(self) -> bool {
        self.0[7] & 0x04 != 0
    }

    /// Whether the extension protocol is spoken (BEP 10, the bit 0x10 of the sixth byte).
    pub const fn extended(self) -> bool {
        self.0[5] & 0x10 != 0
    }

    /// Whether there is a DHT node (BEP 5, the bit 0x01 of the last byte).
    pub const fn dht(self) -> bool {
        self.0[7] & 0x01 != 0
    }
}

/// What one side says in its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handshake {
    /// The extensions it speaks.
    pub reserved: Reserved,
    /// The torrent it means.
    pub info_hash: InfoHash,
    /// What it calls itself.
    pub peer_id: PeerId,
}

impl Handshake {
    /// Length in bytes.
    pub const LEN: usize = 68;

    /// The bytes sent.
    pub fn to_bytes(&self) -> [u8; Handshake::LEN] {
        let mut bytes = [0; Handshake::LEN];
        bytes[..RESERVED].copy_from_slice(PROTOCOL);
        bytes[RESERVED..INFO_HASH].copy_from_slice(&self.reserved.0);
        bytes[INFO_HASH..PEER_ID].copy_from_slice(&self.info_hash.0);
        bytes[PEER_ID..].copy_from_slice(&self.peer_id.0);
        bytes
    }

    /// Reads a whole handshake of any torrent; `None` if it is of another protocol.
    pub fn from_bytes(bytes: &[u8; Handshake::LEN]) -> Option<Self> {
        bytes.starts_with(PROTOCOL).then(|| Handshake {
            reserved: Reserved(part(bytes, RESERVED)),
            info_hash: InfoHash(part(bytes, INFO_HASH)),
            peer_id: PeerId(part(bytes, PEER_ID)),
        })
    }
}

/// The `N` bytes from `start`, which lie inside.
fn part<const N: usize>(bytes: &[u8; Handshake::LEN], start: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[start..start + N]);
    part
}

/// Why a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The first byte that is not of this protocol: another protocol, or an encrypted handshake.
    #[error("byte {offset} of the handshake is not BitTorrent")]
    NotBitTorrent {
        /// Its offset, from 0 to 19.
        offset: usize,
    },
    /// The remote means another torrent.
    #[error("the remote means another torrent")]
    OtherTorrent,
    /// The remote is not the one that was looked for.
    #[error("the remote calls itself {0}, not what was expected")]
    OtherPeer(PeerId),
    /// The remote is ourselves.
    #[error("the remote is this very endpoint")]
    Ourselves,
}

/// What comes next in a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// More bytes of the remote are needed.
    More,
    /// Send our handshake now: the remote has named the torrent but may wait for us before it gives its peer id.
    Answer,
    /// Done: this is the remote. Bytes beyond those taken are messages.
    Done(Handshake),
}

/// One handshake under way. An outgoing link sends its own at once; an incoming one at [`Step::Answer`].
#[derive(Clone, Debug)]
pub struct Handshaking {
    ours: Handshake,
    direction: Direction,
    expected: Option<PeerId>,
    received: [u8; Handshake::LEN],
    filled: usize,
    answered: bool,
}

impl Handshaking {
    /// The handshake of a link we opened: send [`Handshake::to_bytes`] of `ours` first. Trackers may tell the peer id
    /// to expect.
    pub fn outgoing(ours: Handshake, expected: Option<PeerId>) -> Self {
        Self::new(ours, Direction::Outgoing, expected)
    }

    /// The handshake of a link the remote opened.
    pub fn incoming(ours: Handshake) -> Self {
        Self::new(ours, Direction::Incoming, None)
    }

    fn new(ours: Handshake, direction: Direction, expected: Option<PeerId>) -> Self {
        let answered = direction == Direction::Outgoing;
        Handshaking { ours, direction, expected, received: [0; Handshake::LEN], filled: 0, answered }
    }

    /// Who opened the link.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Takes bytes of the remote and tells how many were taken. After [`Step::Answer`] the rest is to be handed in
    /// again, after [`Step::Done`] nothing is taken any more.
    ///
    /// # Errors
    /// At the first byte that cannot be part of a handshake for this torrent.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(usize, Step), HandshakeError> {
        let end = if self.answered { Handshake::LEN } else { PEER_ID };
        let start = self.filled;
        let taken = bytes.len().min(end - start);
        self.received[start..start + taken].copy_from_slice(&bytes[..taken]);
        self.filled += taken;
        self.check_from(start)?;
        let step = match self.filled {
            PEER_ID if !self.answered => {
                self.answered = true;
                Step::Answer
            }
            Handshake::LEN => Step::Done(self.finish()?),
            _ => Step::More,
        };
        Ok((taken, step))
    }

    /// Compares what has come since `start` with what it must be.
    fn check_from(&self, start: usize) -> Result<(), HandshakeError> {
        let ours = self.ours.to_bytes();
        let differs = |&at: &usize| self.received[at] != ours[at];
        if let Some(offset) = (start..self.filled.min(RESERVED)).find(differs) {
            return Err(HandshakeError::NotBitTorrent { offset });
        }
        match (start.max(INFO_HASH)..self.filled.min(PEER_ID)).find(differs) {
            Some(_) => Err(HandshakeError::OtherTorrent),
            None => Ok(()),
        }
    }

    fn finish(&self) -> Result<Handshake, HandshakeError> {
        let peer_id = PeerId(part(&self.received, PEER_ID));
        if peer_id == self.ours.peer_id {
            return Err(HandshakeError::Ourselves);
        }
        if self.expected.is_some_and(|expected| expected != peer_id) {
            return Err(HandshakeError::OtherPeer(peer_id));
        }
        let reserved = Reserved(part(&self.received, RESERVED));
        Ok(Handshake { reserved, info_hash: self.ours.info_hash, peer_id })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASH: InfoHash = InfoHash([0xaa; 20]);
    const US: Handshake =
        Handshake { reserved: Reserved::OURS, info_hash: HASH, peer_id: PeerId([b'u'; 20]) };
    const THEM: Handshake = Handshake {
        reserved: Reserved([0, 0, 0, 0, 0, 0x10, 0, 5]),
        info_hash: HASH,
        peer_id: PeerId([b't'; 20]),
    };

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let bytes = THEM.to_bytes();
        assert_eq!(&bytes[..28], b"\x13BitTorrent protocol\0\0\0\0\0\x10\0\x05");
        assert_eq!((&bytes[28..48], &bytes[48..]), (&HASH.0[..], &THEM.peer_id.0[..]));
        assert_eq!(Handshake::from_bytes(&bytes), Some(THEM));
        let mut foreign = bytes;
        foreign[19] ^= 1;
        assert_eq!(Handshake::from_bytes(&foreign), None);
    }

    #[test]
    fn outgoing_is_done_after_68_bytes() {
        let mut link = Handshaking::outgoing(US, Some(THEM.peer_id));
        let bytes = THEM.to_bytes();
        assert_eq!(link.read(&bytes[..50]), Ok((50, Step::More)));
        assert_eq!(link.read(&[&bytes[50..], b"rest"].concat()), Ok((18, Step::Done(THEM))));
    }

    #[test]
    fn incoming_answers_before_the_peer_id() {
        let mut link = Handshaking::incoming(US);
        let bytes = THEM.to_bytes();
        assert_eq!(link.read(&bytes[..47]), Ok((47, Step::More)));
        assert_eq!(link.read(&bytes[47..]), Ok((1, Step::Answer)));
        assert_eq!(link.read(&[]), Ok((0, Step::More)));
        assert_eq!(link.read(&bytes[48..]), Ok((20, Step::Done(THEM))));
    }

    #[test]
    fn garbage_is_refused_at_its_first_byte() {
        for at in 0..48 {
            let mut bytes = THEM.to_bytes();
            bytes[at] ^= 0x80;
            let mut link = Handshaking::incoming(US);
            assert_eq!(link.read(&bytes[..at]), Ok((at, Step::More)));
            let expected = match at {
                0..20 => Err(HandshakeError::NotBitTorrent { offset: at }),
                28..48 => Err(HandshakeError::OtherTorrent),
                _ => Ok((1, Step::More)),
            };
            assert_eq!(link.read(&bytes[at..=at]), expected, "byte {at}");
        }
    }

    #[test]
    fn ourselves_and_others_are_refused() {
        let mut link = Handshaking::outgoing(US, None);
        assert_eq!(link.read(&US.to_bytes()), Err(HandshakeError::Ourselves));
        let mut link = Handshaking::outgoing(US, Some(PeerId([1; 20])));
        assert_eq!(link.read(&THEM.to_bytes()), Err(HandshakeError::OtherPeer(THEM.peer_id)));
    }

    #[test]
    fn fresh_peer_ids_tell_the_client_and_differ() {
        let mut random = Random::new(1);
        let (one, other) = (PeerId::random(&mut random), PeerId::random(&mut random));
        assert_ne!(one, other);
        for id in [one, other] {
            assert!(id.0.starts_with(b"-SL0100-") && id.0[8..].iter().all(u8::is_ascii_alphanumeric), "{id}");
        }
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_remote(cuts in proptest::collection::vec(0..69_usize, 0..8), incoming: bool) {
            let mut link = if incoming { Handshaking::incoming(US) } else { Handshaking::outgoing(US, None) };
            let mut cuts = cuts;
            cuts.sort_unstable();
            cuts.push(Handshake::LEN);
            let (bytes, mut at, mut answers, mut done) = (THEM.to_bytes(), 0, 0, None);
            for end in cuts {
                while at < end && done.is_none() {
                    let (taken, step) = link.read(&bytes[at..end]).unwrap();
                    at += taken;
                    match step {
                        Step::More => {}
                        Step::Answer => answers += 1,
                        Step::Done(remote) => done = Some(remote),
                    }
                }
            }
            prop_assert_eq!((done, answers), (Some(THEM), i32::from(incoming)));
        }

        #[test]
        fn arbitrary_bytes_never_pass(bytes in proptest::collection::vec(any::<u8>(), 1..100)) {
            prop_assume!(bytes[0] != 0x13);
            prop_assert!(Handshaking::incoming(US).read(&bytes).is_err());
        }
    }
}
