use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

const PIECES: u32 = 1313;

fn limits() -> Limits {
    Limits::of(&Layout::new(u64::from(PIECES) * 16_384, 16_384, 16_384).unwrap())
}

fn wire(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    encode(message, &mut out);
    if let Message::Piece(block) = message {
        out.extend((0..block.len).map(|at| at as u8));
    }
    out
}

fn block(piece: u32, begin: u32, len: u32) -> Block {
    Block { piece: PieceIndex(piece), begin, len }
}

/// Each message of the specifications beside its bytes.
fn vectors() -> Vec<(Message, Vec<u8>)> {
    let mut have = Bitfield::empty(10);
    have.insert(PieceIndex(0));
    have.insert(PieceIndex(9));
    let request = [0, 0, 0, 5, 0, 0, 0x40, 0, 0, 0, 0x40, 0];
    vec![
        (Message::KeepAlive, vec![0, 0, 0, 0]),
        (Message::Choke, vec![0, 0, 0, 1, 0]),
        (Message::Unchoke, vec![0, 0, 0, 1, 1]),
        (Message::Interested, vec![0, 0, 0, 1, 2]),
        (Message::NotInterested, vec![0, 0, 0, 1, 3]),
        (Message::Have(PieceIndex(0x01020304)), vec![0, 0, 0, 5, 4, 1, 2, 3, 4]),
        (Message::Bitfield(Arc::new(have)), vec![0, 0, 0, 3, 5, 0x80, 0x40]),
        (Message::Request(block(5, 16_384, 16_384)), [&[0, 0, 0, 13, 6][..], &request].concat()),
        (Message::Piece(block(5, 16_384, 2)), vec![0, 0, 0, 11, 7, 0, 0, 0, 5, 0, 0, 0x40, 0, 0, 1]),
        (Message::Cancel(block(5, 16_384, 16_384)), [&[0, 0, 0, 13, 8][..], &request].concat()),
        (Message::Port(6881), vec![0, 0, 0, 3, 9, 0x1a, 0xe1]),
        (Message::Suggest(PieceIndex(7)), vec![0, 0, 0, 5, 13, 0, 0, 0, 7]),
        (Message::HaveAll, vec![0, 0, 0, 1, 14]),
        (Message::HaveNone, vec![0, 0, 0, 1, 15]),
        (Message::Reject(block(5, 16_384, 16_384)), [&[0, 0, 0, 13, 16][..], &request].concat()),
        (Message::AllowedFast(PieceIndex(1059)), vec![0, 0, 0, 5, 17, 0, 0, 4, 0x23]),
        (
            Message::Extended(Box::new(Extended { id: 0, payload: b"de".as_slice().into() })),
            vec![0, 0, 0, 4, 20, 0, b'd', b'e'],
        ),
    ]
}

#[test]
fn messages_have_the_bytes_of_the_specifications() {
    let ten = Limits { pieces: Some(10), max_block: MAX_BLOCK_LEN };
    let mut kinds = Vec::new();
    for (message, bytes) in vectors() {
        assert_eq!(wire(&message), bytes, "{message:?}");
        assert_eq!(message.wire_len() as usize, bytes.len());
        let frame = decode(&bytes, &ten).unwrap().unwrap();
        assert_eq!((frame.message.as_ref(), frame.len), (Some(&message), bytes.len()));
        assert_eq!(frame.payload, matches!(message, Message::Piece(_)).then_some(13..15));
        for short in 0..bytes.len() {
            assert_eq!(decode(&bytes[..short], &ten), Ok(None), "{message:?} cut to {short} bytes");
        }
        kinds.push(message.kind());
    }
    assert_eq!(kinds, MessageKind::ALL);
}

#[test]
fn length_prefix_is_judged_at_its_fourth_byte() {
    let max = limits().max_len();
    assert_eq!(max, MAX_BLOCK_LEN + 9);
    assert_eq!(decode(&max.to_be_bytes(), &limits()), Ok(None));
    let refused = Err(WireError::TooLong { len: max + 1, max });
    assert_eq!(decode(&(max + 1).to_be_bytes(), &limits()), refused);
    assert_eq!(decode(b"\xff\xff\xff", &limits()), Ok(None));
    let huge = Limits { pieces: Some(i32::MAX as u32), max_block: MAX_BLOCK_LEN };
    assert_eq!(huge.max_len(), (i32::MAX as u32).div_ceil(8) + 1);
}

#[test]
fn wrong_length_of_a_known_message_is_judged_at_its_id() {
    for kind in MessageKind::ALL {
        let Some(id) = kind.wire_id() else { continue };
        for len in [0x0001_0003_u32, 2, 4] {
            let head = [&len.to_be_bytes()[..], &[id]].concat();
            let fits =
                matches!((kind, len), (MessageKind::Piece, 0x0001_0003) | (MessageKind::Extended, 2 | 4));
            let expected = if fits { Ok(None) } else { Err(WireError::WrongLength { kind, len }) };
            assert_eq!(decode(&head, &limits()), expected, "{kind:?} of {len} bytes");
        }
    }
}

#[test]
fn bitfield_must_fit_the_torrent() {
    let ten = Limits { pieces: Some(10), max_block: MAX_BLOCK_LEN };
    assert_eq!(decode(&[0, 0, 0, 3, 5, 0xff, 0xff], &ten), Err(WireError::SpareBits));
    let kind = MessageKind::Bitfield;
    assert_eq!(decode(&[0, 0, 0, 2, 5, 0xff], &ten), Err(WireError::WrongLength { kind, len: 2 }));
    let any = decode(&[0, 0, 0, 2, 5, 0xff], &Limits::unknown_torrent()).unwrap().unwrap();
    assert_eq!(any.message, Some(Message::Bitfield(Arc::new(Bitfield::full(8)))));
}

#[test]
fn unknown_id_is_skipped_whole() {
    let bytes = [0, 0, 0, 4, 99, 1, 2, 3, 0, 0, 0, 1, 1];
    let skipped = decode(&bytes, &limits()).unwrap().unwrap();
    assert_eq!(skipped, Frame { message: None, len: 8, payload: None });
    let next = decode(&bytes[8..], &limits()).unwrap().unwrap();
    assert_eq!(next.message, Some(Message::Unchoke));
}

fn any_message() -> impl Strategy<Value = Message> {
    let piece = || any::<u32>().prop_map(PieceIndex);
    let blocks = || {
        (any::<u32>(), any::<u32>(), any::<u32>()).prop_map(|(piece, begin, len)| block(piece, begin, len))
    };
    let bits = proptest::collection::vec(0..PIECES, 0..40).prop_map(|pieces| {
        let mut have = Bitfield::empty(PIECES);
        for piece in pieces {
            have.insert(PieceIndex(piece));
        }
        Message::Bitfield(Arc::new(have))
    });
    let extended = (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..100))
        .prop_map(|(id, payload)| Message::Extended(Box::new(Extended { id, payload: payload.into() })));
    prop_oneof![
        Just(Message::KeepAlive),
        Just(Message::Choke),
        Just(Message::Unchoke),
        Just(Message::Interested),
        Just(Message::NotInterested),
        Just(Message::HaveAll),
        Just(Message::HaveNone),
        piece().prop_map(Message::Have),
        piece().prop_map(Message::Suggest),
        piece().prop_map(Message::AllowedFast),
        blocks().prop_map(Message::Request),
        blocks().prop_map(Message::Cancel),
        blocks().prop_map(Message::Reject),
        (any::<u32>(), any::<u32>(), 0..300_u32).prop_map(|(p, b, len)| Message::Piece(block(p, b, len))),
        any::<u16>().prop_map(Message::Port),
        bits,
        extended,
    ]
}

/// Decodes `bytes` handed over in parts that end at `cuts`, as a socket would.
fn decode_in_parts(bytes: &[u8], cuts: &[usize]) -> (Vec<Option<Message>>, Result<usize, WireError>) {
    let (mut messages, mut start) = (Vec::new(), 0);
    for end in cuts.iter().copied().chain([bytes.len()]) {
        loop {
            match decode(&bytes[start..end.max(start)], &limits()) {
                Ok(Some(frame)) => {
                    messages.push(frame.message);
                    start += frame.len;
                }
                Ok(None) => break,
                Err(error) => return (messages, Err(error)),
            }
        }
    }
    (messages, Ok(start))
}

fn any_cuts() -> impl Strategy<Value = Vec<proptest::sample::Index>> {
    proptest::collection::vec(any::<proptest::sample::Index>(), 0..20)
}

fn sorted(cuts: &[proptest::sample::Index], len: usize) -> Vec<usize> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(len + 1)).collect();
    cuts.sort_unstable();
    cuts
}

proptest! {
    #[test]
    fn messages_come_back_equal_however_they_are_split(
        messages in proptest::collection::vec(any_message(), 0..12),
        cuts in any_cuts(),
    ) {
        let bytes: Vec<u8> = messages.iter().flat_map(wire).collect();
        let (decoded, rest) = decode_in_parts(&bytes, &sorted(&cuts, bytes.len()));
        prop_assert_eq!(rest, Ok(bytes.len()));
        prop_assert_eq!(decoded, messages.into_iter().map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn arbitrary_bytes_give_the_same_frames_however_they_are_split(
        bytes in proptest::collection::vec(prop_oneof![3 => Just(0_u8), 2 => 0..21_u8, 1 => any::<u8>()], 0..400),
        cuts in any_cuts(),
    ) {
        let whole = decode_in_parts(&bytes, &[]);
        let parts = decode_in_parts(&bytes, &sorted(&cuts, bytes.len()));
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn what_was_decoded_encodes_to_the_same_bytes(
        bytes in proptest::collection::vec(prop_oneof![3 => Just(0_u8), 2 => 0..21_u8, 1 => any::<u8>()], 0..40),
    ) {
        if let Ok(Some(Frame { message: Some(message), len, payload })) = decode(&bytes, &limits()) {
            let mut again = Vec::new();
            encode(&message, &mut again);
            again.extend_from_slice(&bytes[payload.unwrap_or(0..0)]);
            prop_assert_eq!(&again, &bytes[..len]);
        }
    }
}
