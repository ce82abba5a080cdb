//! What clients do that speak late: small messages wait behind content that was taken on ([`swarmlab_sim::Client::send_ahead`]),
//! or for the next pulse. Judged by the records of both ends of each connection.

use std::collections::{BTreeMap, BTreeSet};

use swarmlab_protocol::{ConnId, Layout, Message};
use swarmlab_sim::{Levels, Model, Recording, Role, run_recorded};
use swarmlab_trace::{NodeId, Record};

use super::{group, millis, model, seconds};

/// From one node to another, in microseconds.
const LATENCY: u64 = 20_000;
/// The buffer of a link.
const QUEUE: u64 = 100_000;

/// What passed on a connection in one direction.
#[derive(Default)]
struct Stream {
    sent: Vec<Sent>,
    received: Vec<(u64, Message)>,
}

/// A message that the engine handed over.
struct Sent {
    at: u64,
    message: Message,
    /// Blocks that were asked for and not handed over then.
    queued: usize,
    /// Blocks that were handed over before.
    blocks: usize,
}

fn is_block(message: &Message) -> bool {
    matches!(message, Message::Piece(_))
}

/// A seed and three leechers that stay connected, each of 1 Mbit/s up: a block takes 137 ms.
fn trading() -> Model {
    model(vec![group("origin", Role::Seed, 1), group("leechers", Role::Leecher, 3)])
}

/// Runs it and gives all streams by their two ends. Both of a connection end with its first cancel, choke or close: what these
/// withdraw is not counted.
fn streams(model: Model) -> BTreeMap<(NodeId, NodeId), Stream> {
    let mut entries = Vec::new();
    let recording = Recording {
        levels: Levels::choose(&model, Some(4)),
        every: seconds(1),
        sink: &mut |_, batch| entries.extend_from_slice(batch),
    };
    run_recorded(model, Some(recording), &mut |_| true).expect("a valid model");
    let mut remotes: BTreeMap<(NodeId, ConnId), NodeId> = BTreeMap::new();
    let mut streams: BTreeMap<(NodeId, NodeId), Stream> = BTreeMap::new();
    let mut waiting: BTreeMap<(NodeId, NodeId), usize> = BTreeMap::new();
    let mut over = BTreeSet::new();
    for entry in entries {
        if let Record::Sent { node, conn, .. }
        | Record::Received { node, conn, .. }
        | Record::Closed { node, conn, .. } = entry.record
        {
            let remote = remotes[&(node, conn)];
            let pair = (node.min(remote), node.max(remote));
            if let Record::Closed { .. } | Record::Sent { message: Message::Cancel(_) | Message::Choke, .. } =
                entry.record
            {
                over.insert(pair);
            }
            if over.contains(&pair) {
                continue;
            }
        }
        match entry.record {
            Record::Opened(opened) => {
                remotes.insert((opened.node, opened.conn), opened.remote);
            }
            Record::Sent { node, conn, message } => {
                let to = remotes[&(node, conn)];
                let queued = waiting.entry((node, to)).or_default();
                if is_block(&message) {
                    *queued -= 1;
                }
                let stream = streams.entry((node, to)).or_default();
                let blocks = stream.sent.iter().filter(|sent| is_block(&sent.message)).count();
                stream.sent.push(Sent { at: entry.at, message, queued: *queued, blocks });
            }
            Record::Received { node, conn, message } => {
                let from = remotes[&(node, conn)];
                if let Message::Request(_) = message {
                    *waiting.entry((node, from)).or_default() += 1;
                }
                streams.entry((from, node)).or_default().received.push((entry.at, message));
            }
            _ => {}
        }
    }
    streams
}

/// The small messages of a stream that came, each as it was sent and as it was received: that they are the same is their order.
fn small(stream: &Stream) -> Vec<(&Sent, usize)> {
    let sent = stream.sent.iter().filter(|sent| !is_block(&sent.message));
    let received = stream.received.iter().enumerate().filter(|(_, (_, message))| !is_block(message));
    sent.zip(received.map(|(place, _)| place)).collect()
}

/// Blocks received before this place in a stream.
fn blocks_before(stream: &Stream, place: usize) -> usize {
    stream.received[..place].iter().filter(|(_, message)| is_block(message)).count()
}

#[test]
fn what_is_said_arrives_behind_the_blocks_that_were_taken_on() {
    // More than four are never asked for at once here.
    for (ahead, binds) in [(1, true), (4, false)] {
        let mut model = trading();
        model.groups.iter_mut().for_each(|group| group.client.send_ahead = ahead * Layout::BLOCK_LEN);
        let (mut judged, mut bounded) = (0, 0);
        for (ends, stream) in streams(model) {
            for (sent, place) in small(&stream) {
                assert_eq!(sent.message, stream.received[place].1, "{ends:?}: the order of what is said");
                let blocks = || stream.received.iter().filter(|(_, message)| is_block(message));
                let left = blocks().filter(|(at, _)| at - LATENCY <= sent.at).count();
                if blocks().any(|(at, _)| at - LATENCY == sent.at) {
                    continue; // as likely before as after
                }
                let before = sent.blocks - left + sent.queued.min(ahead as usize);
                assert_eq!(blocks_before(&stream, place), left + before, "{ends:?}: {:?}", sent.message);
                judged += usize::from(before > 0);
                bounded += usize::from(sent.queued > ahead as usize);
            }
        }
        assert!(judged > 20, "{ahead}: {judged} waited");
        assert_eq!(bounded > 0, binds, "{ahead}: of {bounded} more was asked for");
    }
}

#[test]
fn otherwise_what_is_said_waits_for_the_buffer_of_the_link() {
    let mut behind = 0;
    for (ends, stream) in streams(trading()) {
        for (sent, place) in small(&stream) {
            let (at, message) = &stream.received[place];
            assert_eq!(&sent.message, message, "{ends:?}");
            // Its own frame, and those of small messages before it, take a millisecond each.
            assert!(
                at - sent.at <= LATENCY + QUEUE + 20_000,
                "{ends:?}: {message:?} took {} us",
                at - sent.at
            );
            behind += usize::from(sent.queued > 0);
        }
    }
    assert!(behind > 20, "{behind} messages were sent while content was asked for");
}

#[test]
fn blocks_arrive_as_they_were_asked_for() {
    let mut model = trading();
    for group in &mut model.groups {
        (group.client.send_ahead, group.client.pulse) = (3 * Layout::BLOCK_LEN, millis(500));
    }
    let mut count = 0;
    for (ends, stream) in streams(model) {
        let sent = stream.sent.iter().map(|sent| &sent.message).filter(|message| is_block(message));
        let received = stream.received.iter().map(|(_, message)| message).filter(|message| is_block(message));
        for (sent, received) in sent.zip(received) {
            assert_eq!(sent, received, "{ends:?}");
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn a_client_with_a_pulse_speaks_at_its_beats() {
    const PULSE: u64 = 500_000;
    let mut model = trading();
    model.groups.iter_mut().for_each(|group| group.client.pulse = millis(PULSE / 1_000));
    let mut beats: BTreeMap<NodeId, u64> = BTreeMap::new();
    let mut prompt = 0;
    let all = streams(model);
    for (&(from, to), stream) in &all {
        // A request may be overtaken by what goes with it: it is answered at a beat of the remote.
        let requests = |message: &Message| matches!(message, Message::Request(_));
        for kind in [false, true] {
            let sent = stream.sent.iter().filter(|sent| !is_block(&sent.message));
            let sent = sent.filter(|sent| requests(&sent.message) == kind);
            let received = stream.received.iter().filter(|(_, message)| !is_block(message));
            let received = received.filter(|(_, message)| requests(message) == kind);
            for (sent, (at, message)) in sent.zip(received) {
                assert_eq!(&sent.message, message, "{from} to {to}");
                let left = at - LATENCY;
                let whose = if kind { to } else { from };
                assert_eq!(
                    *beats.entry(whose).or_insert(left % PULSE),
                    left % PULSE,
                    "{message:?} of {from}"
                );
                assert!(left - sent.at >= PULSE, "a pulse begins a batch, the next sends it");
                let most = if kind { 3 } else { 2 } * PULSE + QUEUE;
                prompt += usize::from(sent.queued + sent.blocks == 0 && left - sent.at <= most);
            }
        }
    }
    assert!(prompt > 50, "{prompt} were sent with the next beat");
    let mut own: Vec<u64> = beats.into_values().collect();
    own.sort_unstable();
    own.dedup();
    assert_eq!(own.len(), 4, "each has its own beat");
}
