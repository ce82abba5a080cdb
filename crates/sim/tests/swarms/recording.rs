//! What is recorded of a run, and that recording changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use swarmlab_protocol::{Bitfield, Message, MessageKind};
use swarmlab_sim::{End, Levels, Model, Outcome, Recording, Role, run_recorded};
use swarmlab_trace::{Entry, Level, Pieces, Record, Recorded, State};

use super::determinism::eventful;
use super::{group, millis, model, run, seconds, swarm};

/// Runs it and gives what was passed on, with the time of each batch.
fn recorded(model: &Model, full: Option<u32>, every: Duration) -> (Outcome, Vec<(Duration, Vec<Entry>)>) {
    let mut batches = Vec::new();
    let recording = Recording {
        levels: Levels::choose(model, full),
        every,
        sink: &mut |until, entries| batches.push((until, entries.to_vec())),
    };
    let outcome = run_recorded(model.clone(), Some(recording), &mut |_| true).expect("a valid model");
    (outcome, batches)
}

/// The same, all batches together.
fn entries(model: &Model, full: Option<u32>) -> (Outcome, Vec<Entry>) {
    let (outcome, batches) = recorded(model, full, seconds(1));
    (outcome, batches.into_iter().flat_map(|(_, batch)| batch).collect())
}

/// The state that the records make, by a model's content.
fn fold(model: &Model, entries: &[Entry]) -> State {
    let mut state = State::new(model.content.layout.piece_count());
    entries.iter().for_each(|entry| state.apply(entry.at, &entry.record));
    state
}

#[test]
fn recording_changes_nothing() {
    let unrecorded = run(eventful());
    for full in [None, Some(0), Some(5)] {
        let (outcome, _) = entries(&eventful(), full);
        assert_eq!(outcome.digest, unrecorded.digest);
        assert_eq!(outcome.peers, unrecorded.peers);
        assert_eq!((outcome.events, outcome.messages), (unrecorded.events, unrecorded.messages));
    }
}

#[test]
fn any_number_of_threads_records_the_same() {
    for full in [None, Some(5)] {
        let of_threads = |threads| {
            let mut model = eventful();
            model.run.threads = threads;
            entries(&model, full).1
        };
        let one = of_threads(1);
        assert!(one.len() > 1_000);
        for threads in [2, 3] {
            assert!(of_threads(threads) == one, "{threads} threads");
        }
    }
}

#[test]
fn records_are_passed_on_as_often_as_one_wants_and_up_to_a_time() {
    let (_, batches) = recorded(&swarm(5), None, millis(100));
    let times: Vec<_> = batches.iter().map(|(until, _)| *until).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1] && pair[1] <= pair[0] + millis(100)));
    let mut last = 0;
    for (until, entry) in
        batches.iter().flat_map(|(until, batch)| batch.iter().map(move |entry| (until, entry)))
    {
        assert!(last <= entry.at && entry.at <= until.as_micros() as u64);
        last = entry.at;
    }
    let (_, seldom) = recorded(&swarm(5), None, seconds(1));
    let all = |batches: Vec<(Duration, Vec<Entry>)>| {
        batches.into_iter().flat_map(|(_, batch)| batch).collect::<Vec<_>>()
    };
    assert!(all(batches) == all(seldom));
}

#[test]
fn what_is_recorded_is_what_came_of_the_run() {
    let model = eventful();
    let (outcome, entries) = entries(&model, Some(1_000));
    let state = fold(&model, &entries);
    let (mut kinds, mut announces) = (BTreeMap::new(), 0);
    for entry in &entries {
        match &entry.record {
            Record::Sent { message, .. } => *kinds.entry(message.kind()).or_insert(0) += 1,
            Record::Reply(reply) => announces += u64::from(!reply.bytes.is_empty()),
            _ => {}
        }
    }
    for (kind, count) in MessageKind::ALL.into_iter().zip(outcome.messages) {
        assert_eq!(kinds.get(&kind).copied().unwrap_or(0), count.count, "{}", kind.name());
    }
    // Who leaves hears no answer.
    assert!(announces > 0 && announces <= outcome.tracker.announces);
    for (peer, number) in outcome.peers.iter().zip(0..) {
        let Some(node) = state.node(number) else {
            assert_eq!(peer.join, None);
            continue;
        };
        let micros = |time: Option<Duration>| time.map(|time| time.as_micros() as u64);
        assert_eq!(Some(node.joined_at), micros(peer.join));
        let came_whole = model.groups[peer.group as usize].role == Role::Seed;
        assert_eq!(node.completed_at, micros(peer.complete).filter(|_| !came_whole), "node {number}");
        assert_eq!(node.received, peer.downloaded);
        assert!(node.sent >= peer.uploaded, "what is queued at the end has been handed over");
        assert_eq!(node.present, peer.leave.is_none());
    }
}

#[test]
fn the_state_knows_what_every_node_has_and_waits_for() {
    let mut model = swarm(10);
    model.run.max_time = seconds(40);
    let (outcome, entries) = entries(&model, None);
    assert_eq!(outcome.end, End::MaxTime);
    let state = fold(&model, &entries);
    let sample = state.sample().expect("a sample at the end");
    let pieces = model.content.layout.piece_count();
    let mut holders = vec![0; pieces as usize];
    for node in state.nodes() {
        let have = match &node.pieces {
            Pieces::None => Bitfield::empty(pieces),
            Pieces::All => Bitfield::full(pieces),
            Pieces::Some(have) => have.clone(),
        };
        have.iter().for_each(|piece| holders[piece.0 as usize] += 1);
        for link in &node.links {
            // Nothing is asked for twice on one link, nor what is there.
            let mut asked = link.outstanding.clone();
            asked.sort_unstable();
            asked.dedup();
            assert_eq!(asked.len(), link.outstanding.len());
            assert!(asked.iter().all(|block| !have.contains(block.piece)));
        }
    }
    assert_eq!(sample.rarest, holders.into_iter().min().unwrap());
    assert!(state.nodes().any(|node| node.links.iter().any(|link| !link.outstanding.is_empty())));
}

#[test]
fn announces_have_the_bytes_of_the_wire() {
    let (_, entries) = entries(&swarm(3), None);
    let request = entries.iter().find_map(|entry| match &entry.record {
        Record::Announce(announce) if announce.node == 2 => Some(announce.bytes.clone()),
        _ => None,
    });
    let request = String::from_utf8(request.expect("an announce")).unwrap();
    assert_eq!(
        request,
        "GET /announce?info_hash=a%20simulated%20torrent.&peer_id=-SL0100-sim.00000002&port=6881&uploaded=0\
         &downloaded=0&left=4194304&event=started&numwant=50&compact=1&no_peer_id=1&key=00000002 HTTP/1.1\r\n\
         host: 10.0.0.5:6969\r\nuser-agent: swarmlab/0.1.0\r\nconnection: close\r\n\r\n"
    );
    let reply = entries.iter().find_map(|entry| match &entry.record {
        Record::Reply(reply) => Some(reply.clone()),
        _ => None,
    });
    let reply = reply.expect("a reply");
    let start = b"d8:completei";
    assert_eq!(&reply.bytes[..start.len()], start);
    assert_eq!(reply.interval, 1_800);
}

#[test]
fn a_large_swarm_is_recorded_in_part() {
    // 256 blocks, 64 pieces.
    let parts = |counts: &[u32], full| {
        let groups = counts.iter().map(|count| group("one", Role::Leecher, *count)).collect();
        Levels::choose(&model(groups), full)
    };
    let recorded = |messages, pieces, life| Recorded { messages, pieces, life };
    assert_eq!(parts(&[1, 30], None).recorded(), recorded(31, 0, 0));
    assert_eq!(parts(&[1, 999], None).recorded(), recorded(782, 218, 0));
    assert_eq!(parts(&[1, 99_999], None).recorded(), recorded(782, 31_250, 67_968));
    assert_eq!(parts(&[1, 99_999], Some(10)).recorded(), recorded(10, 31_250, 68_740));
    assert_eq!(parts(&[7], Some(0)).recorded(), recorded(0, 7, 0));

    let levels = parts(&[1, 600, 300], Some(10));
    let full: Vec<u32> = (0..901).filter(|node| levels.of(*node) == Level::Messages).collect();
    assert_eq!(full, [0, 1, 101, 201, 301, 401, 501, 601, 701, 801]);
}

#[test]
fn of_a_node_recorded_in_part_nothing_else_is_there() {
    let model = swarm(30);
    let (_, entries) = entries(&model, Some(4));
    let levels = Levels::choose(&model, Some(4));
    for entry in &entries {
        let level = entry.record.node().map_or(Level::Messages, |node| levels.of(node));
        let least = match &entry.record {
            Record::Join(_) | Record::Leave { .. } | Record::Completed { .. } => Level::Life,
            Record::Verified { .. } => Level::Pieces,
            _ => Level::Messages,
        };
        assert!(level >= least, "{entry:?}");
    }
    let sent = |kind| move |entry: &&Entry| matches!(&entry.record, Record::Sent { message, .. } if message.kind() == kind);
    assert!(entries.iter().filter(sent(MessageKind::Piece)).count() > 0);
    assert_eq!(entries.iter().filter(|entry| matches!(entry.record, Record::Completed { .. })).count(), 30);
    let told = Message::HaveNone;
    assert!(
        entries
            .iter()
            .any(|entry| matches!(&entry.record, Record::Received { message, .. } if *message == told))
    );
    assert_eq!(fold(&model, &entries).nodes().filter(|node| node.complete).count(), 31);
}
