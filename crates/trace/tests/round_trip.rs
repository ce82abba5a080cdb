//! What is written is read, and the state of a keyframe is the state that the records before it make.

use std::net::SocketAddr;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use swarmlab_protocol::{
    AnnounceEvent, Bitfield, Block, ChokeReason, CloseReason, ConnId, Direction, Extended, Message,
    Misbehaviour, PeerId, PickReason, PieceIndex, Reserved, UnchokeReason,
};
use swarmlab_trace::{
    Announce, Closing, Content, Departure, Fault, FaultKind, GroupSample, Header, Item, Join, Level, Opened,
    Outcome, Phase, Pieces, Reader, Record, Reply, Sample, State, Writer,
};

/// Pieces of the content: the bitfield has spare bits.
const PIECES: u32 = 21;

fn header() -> Header {
    let content = Content {
        info_hash: "00".repeat(20),
        name: "content".to_owned(),
        length: u64::from(PIECES) * 32_768,
        piece_length: 32_768,
        piece_count: PIECES,
        block_length: 16_384,
    };
    Header { content: Some(content), ..Header::new("a test", "simulated") }
}

/// Few nodes, links and pieces, so that records meet each other.
fn node() -> impl Strategy<Value = u32> {
    prop_oneof![0..6u32, Just(1_500), Just((1 << 24) - 1)]
}

fn conn() -> impl Strategy<Value = ConnId> {
    prop_oneof![0..4u16, Just(u16::MAX)].prop_map(ConnId)
}

fn piece() -> impl Strategy<Value = PieceIndex> {
    prop_oneof![0..PIECES, Just(u32::MAX)].prop_map(PieceIndex)
}

fn block() -> impl Strategy<Value = Block> {
    (0..3u32, 0..2u32).prop_map(|(piece, half)| Block {
        piece: PieceIndex(piece),
        begin: half * 16_384,
        len: 16_384,
    })
}

fn set() -> impl Strategy<Value = Bitfield> {
    vec(any::<bool>(), PIECES as usize).prop_map(|bits| {
        let mut have = Bitfield::empty(PIECES);
        bits.iter().zip(0..).filter(|(has, _)| **has).for_each(|(_, piece)| {
            have.insert(PieceIndex(piece));
        });
        have
    })
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        prop_oneof![
            Just(Message::KeepAlive),
            Just(Message::Choke),
            Just(Message::Unchoke),
            Just(Message::Interested),
            Just(Message::NotInterested),
            Just(Message::HaveAll),
            Just(Message::HaveNone),
        ],
        piece().prop_map(Message::Have),
        set().prop_map(|have| Message::Bitfield(Arc::new(have))),
        block().prop_map(Message::Request),
        block().prop_map(Message::Request),
        block().prop_map(Message::Piece),
        block().prop_map(Message::Cancel),
        block().prop_map(Message::Reject),
        any::<u16>().prop_map(Message::Port),
        piece().prop_map(Message::Suggest),
        piece().prop_map(Message::AllowedFast),
        (any::<u8>(), vec(any::<u8>(), 0..40)).prop_map(|(id, payload)| {
            Message::Extended(Box::new(Extended { id, payload: payload.into() }))
        }),
    ]
}

fn reserved() -> impl Strategy<Value = Reserved> {
    prop_oneof![Just(Reserved::OURS), Just(Reserved::default())]
}

fn join() -> impl Strategy<Value = Record> {
    let level =
        prop_oneof![Just(Level::Seen), Just(Level::Life), Just(Level::Pieces), Just(Level::Messages),];
    let addr = prop_oneof![Just("10.0.0.1:6881"), Just("[2001:db8::1]:1")]
        .prop_map(|addr| addr.parse::<SocketAddr>().unwrap());
    (node(), 0..3u32, level, any::<[u8; 20]>(), reserved(), addr, any::<u64>(), set()).prop_map(
        |(node, group, level, id, reserved, addr, up, have)| {
            Record::Join(Box::new(Join {
                node,
                group,
                level,
                peer_id: PeerId(id),
                reserved,
                addr,
                up,
                down: up / 3,
                pieces: Pieces::of(&have),
            }))
        },
    )
}

fn opened() -> impl Strategy<Value = Record> {
    let direction = prop_oneof![Just(Direction::Incoming), Just(Direction::Outgoing)];
    (node(), conn(), node(), direction, reserved()).prop_map(|(node, conn, remote, direction, reserved)| {
        Record::Opened(Box::new(Opened { node, conn, remote, direction, reserved }))
    })
}

fn decision() -> impl Strategy<Value = Record> {
    prop_oneof![
        (node(), conn()).prop_map(|(node, conn)| Record::Unchoked {
            node,
            conn,
            reason: UnchokeReason::Optimistic
        }),
        (node(), conn()).prop_map(|(node, conn)| Record::Choked {
            node,
            conn,
            reason: ChokeReason::NotInterested
        }),
        (node(), conn(), piece(), any::<u16>()).prop_map(|(node, conn, piece, availability)| {
            Record::Picked { node, conn, piece, reason: PickReason::RarestFirst, availability }
        }),
        (node(), conn()).prop_map(|(node, conn)| Record::Snubbed { node, conn }),
        (node(), conn(), piece()).prop_map(|(node, conn, piece)| Record::Banned { node, conn, piece }),
        node().prop_map(|node| Record::Endgame { node }),
    ]
}

fn of_tracker() -> impl Strategy<Value = Record> {
    let bytes = || vec(any::<u8>(), 0..60);
    prop_oneof![
        (node(), any::<u64>(), bytes()).prop_map(|(node, left, bytes)| {
            Record::Announce(Box::new(Announce {
                node,
                tracker: 1,
                event: AnnounceEvent::Started,
                uploaded: 3,
                downloaded: 4,
                left,
                bytes,
            }))
        }),
        (node(), bytes()).prop_map(|(node, bytes)| {
            let (outcome, interval, peers) = (Outcome::Refused, 1_800, 50);
            Record::Reply(Box::new(Reply { node, tracker: 65_535, outcome, interval, peers, bytes }))
        }),
    ]
}

fn of_swarm() -> impl Strategy<Value = Record> {
    prop_oneof![
        proptest::option::of(0..9u32).prop_map(|group| {
            Record::Fault(Box::new(Fault {
                kind: FaultKind::Partition,
                phase: Phase::Ends,
                group,
                text: "words".to_owned(),
            }))
        }),
        vec(any::<[u32; 5]>(), 0..4).prop_map(|groups| {
            let group = |[leechers, seeds, completed, uploaded, downloaded]: [u32; 5]| GroupSample {
                leechers: leechers.into(),
                seeds: seeds.into(),
                completed: completed.into(),
                uploaded: uploaded.into(),
                downloaded: downloaded.into(),
            };
            let groups = groups.into_iter().map(group).collect();
            Record::Sample(Box::new(Sample { rarest: 3, announces: 9, up: u64::MAX, groups }))
        }),
        any::<u64>().prop_map(Record::Lost),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let closing = prop_oneof![
        Just(Closing::Remote),
        Just(Closing::Gone),
        Just(Closing::By(CloseReason::Misbehaved(Misbehaviour::Flood))),
    ];
    prop_oneof![
        4 => join(),
        6 => opened(),
        12 => (node(), conn(), message()).prop_map(|(node, conn, message)| Record::Sent { node, conn, message }),
        12 => (node(), conn(), message())
            .prop_map(|(node, conn, message)| Record::Received { node, conn, message }),
        2 => decision(),
        1 => of_tracker(),
        1 => of_swarm(),
        1 => node().prop_map(|node| Record::Leave { node, why: Departure::Crashed }),
        1 => (node(), node()).prop_map(|(node, remote)| Record::Dial { node, remote }),
        1 => (node(), node()).prop_map(|(node, remote)| Record::DialFailed { node, remote }),
        1 => (node(), conn(), closing).prop_map(|(node, conn, reason)| Record::Closed { node, conn, reason }),
        3 => (node(), piece(), any::<bool>())
            .prop_map(|(node, piece, ok)| Record::Verified { node, piece, ok }),
        1 => node().prop_map(|node| Record::Completed { node }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_written_is_read_and_keyframes_are_what_records_make(
        steps in vec((0..300_000u64, record()), 0..600),
        rounds in 1..30usize,
        flush_every in 1..400usize,
    ) {
        let mut file = Vec::new();
        let mut writer = Writer::new(&mut file, &header()).unwrap();
        let (mut at, mut written) = (0, Vec::new());
        // Over and over, until there are keyframes in it.
        for (number, (passed, record)) in (0..rounds).flat_map(|_| &steps).enumerate() {
            at += passed;
            writer.push(at, record).unwrap();
            written.push((at, record));
            if number % flush_every == 0 {
                writer.flush().unwrap();
            }
        }
        let late = writer.catch_up();
        let joined = writer.state().joined();
        writer.finish(at + 5, true).unwrap();

        let mut reader = Reader::new(&file[..]).unwrap();
        prop_assert_eq!(reader.header(), &header());
        let mut state = State::new(PIECES);
        let (mut read, mut last) = (0, None);
        while let Some(item) = reader.next_item().unwrap() {
            match item {
                Item::Record(entry) => {
                    prop_assert_eq!((entry.at, &entry.record), written[read]);
                    state.apply(entry.at, &entry.record);
                    read += 1;
                }
                Item::Keyframe(keyframe) => prop_assert_eq!(&*keyframe, &state),
                Item::End(end) => last = Some(end),
            }
        }
        prop_assert_eq!(read, written.len());
        let end = last.expect("an end");
        prop_assert_eq!((end.at, end.records, end.joined), (at + 5, read as u64, joined));
        prop_assert_eq!((end.completed, end.complete), (state.completed(), true));
        prop_assert_eq!(reader.offset(), file.len() as u64);

        // Who comes late gets the same state at once.
        match Reader::new(&late[..]).unwrap().next_item().unwrap() {
            Some(Item::Keyframe(keyframe)) => prop_assert_eq!(&*keyframe, &state),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

#[test]
fn keyframes_come_by_themselves_and_take_a_fifth_at_most() {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, &header()).unwrap();
    let message = Message::Have(PieceIndex(3));
    for at in 0..200_000 {
        writer.push(at, &Record::Sent { node: 1, conn: ConnId(0), message: message.clone() }).unwrap();
    }
    writer.finish(200_000, false).unwrap();
    let mut reader = Reader::new(&file[..]).unwrap();
    let (mut keyframes, mut records) = (0, 0);
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Keyframe(_) => keyframes += 1,
            Item::Record(_) => records += 1,
            Item::End(end) => assert!(!end.complete),
        }
    }
    // Six bytes each: 1.2 MB, a keyframe of a few bytes for each 64 KiB and the frame that goes beyond.
    assert_eq!((keyframes, records), (9, 200_000));
}
