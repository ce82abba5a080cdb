//! What is wrong with a file is said, with its place in it, and nothing that was whole before it is lost.

use std::net::SocketAddr;

use swarmlab_protocol::{Block, ConnId, Message, PeerId, PieceIndex, Reserved};
use swarmlab_trace::{Content, Header, Item, Join, Level, Pieces, ReadError, Reader, Record, Writer};

/// Two frames of events and an end.
fn file() -> Vec<u8> {
    let content = Content {
        info_hash: "11".repeat(20),
        name: "content".to_owned(),
        length: 40_000,
        piece_length: 32_768,
        piece_count: 2,
        block_length: 16_384,
    };
    let header = Header { content: Some(content), ..Header::new("a test", "real") };
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, &header).unwrap();
    let join = Join {
        node: 0,
        group: 0,
        level: Level::Messages,
        peer_id: PeerId(*b"-SL0100-abcdefghijkl"),
        reserved: Reserved::OURS,
        addr: SocketAddr::from(([127, 0, 0, 1], 6_881)),
        up: 300,
        down: 0,
        pieces: Pieces::All,
    };
    writer.push(1_000, &Record::Join(Box::new(join))).unwrap();
    writer.flush().unwrap();
    let block = Block { piece: PieceIndex(1), begin: 0, len: 7_232 };
    writer.push(1_300, &Record::Sent { node: 0, conn: ConnId(2), message: Message::Piece(block) }).unwrap();
    writer.push(1_300, &Record::Completed { node: 0 }).unwrap();
    writer.finish(2_000, true).unwrap();
    file
}

/// How many records, and whether an end, come before what is wrong, if anything is.
fn read(bytes: &[u8]) -> (usize, bool, Option<ReadError>) {
    let mut reader = match Reader::new(bytes) {
        Ok(reader) => reader,
        Err(error) => return (0, false, Some(error)),
    };
    let (mut records, mut end) = (0, false);
    loop {
        match reader.next_item() {
            Ok(Some(Item::Record(_))) => records += 1,
            Ok(Some(Item::Keyframe(_))) => {}
            Ok(Some(Item::End(_))) => end = true,
            Ok(None) => return (records, end, None),
            Err(error) => return (records, end, Some(error)),
        }
    }
}

/// Where the frames begin.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let mut starts = vec![16];
    while starts.last().is_some_and(|start| *start < bytes.len()) {
        let start = starts[starts.len() - 1];
        let length = u32::from_le_bytes(bytes[start + 1..start + 5].try_into().unwrap());
        starts.push(start + 9 + length as usize);
    }
    starts
}

#[test]
fn the_bytes_are_those_of_the_document() {
    let bytes = file();
    let starts = frames(&bytes);
    assert_eq!(&bytes[..16], b"swarmlab trace\x01\x00");
    assert_eq!([1, 2, 3, 4].map(|frame| bytes[starts[frame - 1]]), [1, 2, 2, 4]);
    let body = |frame: usize| &bytes[starts[frame] + 9..starts[frame + 1]];
    let join = [
        &[0xe8, 7, 0, 1, 0, 0, 3][..],
        b"-SL0100-abcdefghijkl",
        &[0, 0, 0, 0, 0, 0, 0, 4, 4, 127, 0, 0, 1, 0x1a, 0xe1, 0xac, 2, 0, 1],
    ];
    assert_eq!(body(1), join.concat());
    assert_eq!(body(2), [0x94, 10, 0, 16, 0, 2, 7, 1, 0, 0xc0, 0x38, 0, 49, 0]);
    assert_eq!(body(3), [0xd0, 15, 3, 1, 1, 1]);
}

#[test]
fn a_cut_file_gives_what_is_whole_and_says_where_it_ends() {
    let bytes = file();
    let starts = frames(&bytes);
    for cut in 0..=bytes.len() {
        let (records, end, error) = read(&bytes[..cut]);
        let whole = starts.iter().filter(|start| **start <= cut).count();
        assert_eq!(records, [0, 0, 0, 1, 3, 3][whole], "cut at {cut}");
        assert_eq!(end, cut == bytes.len());
        let at_a_frame = starts.contains(&cut) && cut > 16;
        match error {
            None => assert!(at_a_frame, "cut at {cut}"),
            Some(ReadError::Foreign) => assert!(cut < 14),
            Some(ReadError::Truncated { at, .. }) => assert_eq!(at, cut as u64),
            Some(other) => panic!("{other} when cut at {cut}"),
        }
    }
}

#[test]
fn any_byte_that_is_changed_is_noticed() {
    let bytes = file();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 0x40;
        let (_, _, error) = read(&changed);
        let error = error.unwrap_or_else(|| panic!("byte {place} is not noticed"));
        match place {
            0..14 => assert!(matches!(error, ReadError::Foreign)),
            14 => {
                assert_eq!(error.to_string(), "this is a trace of version 65; this program reads version 1")
            }
            15 => assert!(matches!(error, ReadError::Version(16_385))),
            // A length that reaches beyond the end of the file is one that was cut short.
            _ => assert!(
                matches!(
                    error,
                    ReadError::Checksum { .. } | ReadError::Truncated { .. } | ReadError::TooLong { .. }
                ),
                "byte {place}: {error}"
            ),
        }
    }
}

/// The same file with other bytes in the body of a frame, and a checksum that fits.
fn with_body(frame: usize, body: &[u8]) -> Vec<u8> {
    let bytes = file();
    let starts = frames(&bytes);
    let mut framed = vec![bytes[starts[frame]]];
    framed.extend_from_slice(&(body.len() as u32).to_le_bytes());
    let sum = crc(&[&framed[..], body].concat());
    framed.extend_from_slice(&sum.to_le_bytes());
    framed.extend_from_slice(body);
    [&bytes[..starts[frame]], &framed, &bytes[starts[frame + 1]..]].concat()
}

/// CRC-32 of IEEE 802.3, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 },
        )
    })
}

#[test]
fn a_field_that_cannot_be_is_named_with_its_place() {
    let start = frames(&file())[2] as u64 + 9;
    for (body, offset, due) in [
        (&[1, 0, 99][..], 0, "a time, no earlier than the one before"),
        (&[0x94, 10, 0, 99], 3, "the kind of a record"),
        (&[0x94, 10, 0], 3, "the kind of a record"),
        (&[0x94, 10, 0, 16, 0x80, 0x80, 0x80, 8], 4, "the number of a node"),
        (&[0x94, 10, 0, 16, 0, 0x80, 0x80, 4], 5, "the number of a link"),
        (&[0x94, 10, 0, 16, 0, 0, 99], 6, "the id of a message"),
        (&[0x94, 10, 0, 16, 0, 0, 5, 2, 0, 0], 7, "a bitfield with a bit for each piece"),
        (&[0x94, 10, 0, 16, 0, 0, 5, 1, 1], 7, "a bitfield with a bit for each piece"),
        (&[0x94, 10, 0, 6, 0, 0, 10], 6, "why a link was closed"),
        (&[0x94, 10, 0, 48, 0, 0, 2], 6, "0 or 1"),
    ] {
        match read(&with_body(2, body)) {
            (1, false, Some(ReadError::Field { at, due: said })) => {
                assert_eq!((at, said), (start + offset, due));
            }
            other => panic!("{body:?}: {other:?}"),
        }
    }
}

#[test]
fn a_header_that_cannot_be_is_told() {
    for (json, why) in [
        (r#"{"schema": "trace/9"}"#, "missing field"),
        ("[", "EOF while parsing"),
        (
            r#"{"schema":"trace/9","program":"","world":"","name":"","groups":[],"nodes":0,"recorded":{"messages":0,"pieces":0,"life":0},"sample_us":1}"#,
            "its schema is `trace/9`, not `trace/1`",
        ),
        (
            r#"{"schema":"trace/1","program":"","world":"","name":"","groups":[],"nodes":0,"recorded":{"messages":0,"pieces":0,"life":0},"sample_us":1,"content":{"info_hash":"","name":"","length":9,"piece_length":3,"piece_count":4,"block_length":1}}"#,
            "it has 3 pieces, and says 4",
        ),
    ] {
        match read(&with_body(0, json.as_bytes())) {
            (0, false, Some(ReadError::Header { at: 16, why: said })) => {
                assert!(said.contains(why), "{said}")
            }
            other => panic!("{json}: {other:?}"),
        }
    }
}

#[test]
fn frames_of_an_unknown_kind_are_passed_over_and_a_second_header_is_not() {
    let bytes = file();
    let starts = frames(&bytes);
    let mut unknown = with_body(1, &[1, 2, 3]);
    unknown[starts[1]] = 77;
    let sum = crc(&[&unknown[starts[1]..starts[1] + 5], &[1, 2, 3][..]].concat());
    unknown[starts[1] + 5..starts[1] + 9].copy_from_slice(&sum.to_le_bytes());
    assert!(matches!(read(&unknown), (2, true, None)));

    let header = &bytes[starts[0]..starts[1]];
    let twice = [&bytes[..starts[1]], header, &bytes[starts[1]..]].concat();
    assert!(matches!(read(&twice).2, Some(ReadError::Order { kind: 1, .. })));
    let none = [&bytes[..16], &bytes[starts[1]..]].concat();
    assert!(matches!(read(&none).2, Some(ReadError::Order { at: 16, kind: 2, .. })));
}
