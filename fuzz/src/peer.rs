//! Targets for what peers send: the handshake and the messages.

use swarmlab_protocol::wire::{Frame, Limits, decode, encode, frame_len};
use swarmlab_protocol::{Handshake, Handshaking, InfoHash, Layout, Message, PeerId, Reserved, Step};

/// Messages come out the same however their bytes are split, and are written as they were read.
pub fn wire(input: &[u8]) {
    // 1313 pieces: the bitfield has spare bits.
    let limits = Limits::of(&Layout::new(1313 * 16_384, 16_384, 16_384).expect("a layout"));
    let (mut start, mut broken) = (0, None);
    while broken.is_none() {
        let rest = &input[start..];
        let frame = match decode(rest, &limits) {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(error) => {
                broken = Some(error);
                break;
            }
        };
        whole(rest, &frame, &limits);
        start += frame.len;
    }
    let rest = &input[start..];
    // Of what is left no part says more than the whole, and a length is never beyond the limit.
    for end in 0..rest.len() {
        match decode(&rest[..end], &limits) {
            Ok(None) => {
                if let Ok(Some(len)) = frame_len(&rest[..end], &limits) {
                    assert!(len <= 4 + limits.max_len() as usize && len > end);
                }
            }
            Ok(Some(frame)) => panic!("{frame:?} of a part"),
            Err(error) => {
                assert_eq!(Some(error), broken);
                assert!(!error.to_string().contains(char::is_control));
                break;
            }
        }
    }
}

fn whole(bytes: &[u8], frame: &Frame, limits: &Limits) {
    assert_eq!(frame_len(bytes, limits), Ok(Some(frame.len)));
    assert_eq!(decode(&bytes[..frame.len - 1], limits), Ok(None));
    let Some(message) = &frame.message else { return };
    let mut written = Vec::new();
    encode(message, &mut written);
    if let (Message::Piece(block), Some(payload)) = (message, &frame.payload) {
        assert_eq!(block.len as usize, payload.len());
        written.extend_from_slice(&bytes[payload.clone()]);
    }
    assert_eq!(written, bytes[..frame.len]);
    assert_eq!(message.wire_len() as usize, frame.len);
}

/// A handshake ends the same way however its bytes are split; the first byte of the input says how.
pub fn handshake(input: &[u8]) {
    let Some((&how, bytes)) = input.split_first() else { return };
    let ours =
        Handshake { reserved: Reserved::OURS, info_hash: InfoHash([b'h'; 20]), peer_id: PeerId([b'u'; 20]) };
    let link = match how % 3 {
        0 => Handshaking::incoming(ours),
        1 => Handshaking::outgoing(ours, None),
        _ => Handshaking::outgoing(ours, Some(PeerId([b't'; 20]))),
    };
    let step = usize::from(how / 3) + 1;
    let (at_once, in_steps) = (run(link.clone(), bytes, usize::MAX), run(link, bytes, step));
    assert_eq!(at_once, in_steps);
    if let Some(Ok(remote)) = at_once {
        let first = bytes.first_chunk().expect("a whole handshake");
        assert_eq!(Handshake::from_bytes(first), Some(remote));
        assert_eq!((remote.to_bytes(), remote.info_hash), (*first, ours.info_hash));
        assert_ne!(remote.peer_id, ours.peer_id);
    }
}

/// How a handshake ends, in words where it fails; nothing if it does not.
fn run(mut link: Handshaking, bytes: &[u8], step: usize) -> Option<Result<Handshake, String>> {
    let (mut at, mut answers) = (0, 0);
    while at < bytes.len() {
        let end = at.saturating_add(step).min(bytes.len());
        match link.read(&bytes[at..end]) {
            Ok((taken, Step::Done(remote))) => {
                assert_eq!(at + taken, Handshake::LEN);
                return Some(Ok(remote));
            }
            Ok((taken, step)) => {
                assert!(taken > 0 && at + taken < Handshake::LEN);
                at += taken;
                answers += u32::from(step == Step::Answer);
                assert!(answers <= 1);
            }
            Err(error) => return Some(Err(error.to_string())),
        }
    }
    None
}
