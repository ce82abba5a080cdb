// What records make of a swarm; that a keyframe says the same as the records before it; that seeking is the same as playing.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { openLinks } from "../../src/swarm/model.js";
import { readKeyframe } from "../../src/swarm/keyframe.js";
import { Player } from "../../src/swarm/player.js";
import { Recording } from "../../src/swarm/recording.js";
import { collect, lastTime, latest, nextTime } from "../../src/swarm/scan.js";
import { Swarm } from "../../src/swarm/state.js";
import { EVENTS } from "../../src/trace/frames.js";
import { readHeader } from "../../src/trace/header.js";
import { Kind, Records } from "../../src/trace/records.js";
import { differences } from "../compare.js";
import { Events, headerFrame, keyframe, opening } from "../encoder.js";
import { headerOf, synthetic } from "../synthetic.js";

const PLAN = { peers: 14, pieces: 24, full: 10, seconds: 40, connections: 6, blocksPerSecond: 14 };
const FAST = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 4);
const PLAIN = new Uint8Array(8);
const TRACES = new URL("../traces/", import.meta.url);

function recorded(bytes: Uint8Array): Recording {
  const recording = new Recording();
  recording.feed(bytes);
  while (recording.work(1000));
  recording.close();
  return recording;
}

function folded(recording: Recording, time: number): Swarm {
  if (!recording.header) throw new Error("no header");
  const swarm = new Swarm(recording.header);
  for (const entry of recording.entries) {
    if (entry.kind !== EVENTS) continue;
    const records = new Records(entry.body);
    while (records.next()) {
      if (records.record.time > time) {
        swarm.moveTo(time);
        return swarm;
      }
      swarm.apply(records.record);
    }
  }
  swarm.moveTo(time);
  return swarm;
}

/** Two peers that are connected: 0 with everything, 1 with nothing. */
function pair(reserved: Uint8Array): { swarm: Swarm; apply: (write: (events: Events) => void) => void } {
  const swarm = new Swarm(readHeader(headerFrame(headerOf({ ...PLAN, peers: 2 })).subarray(9)));
  const apply = (write: (events: Events) => void): void => {
    const events = new Events(swarm.time);
    write(events);
    const records = new Records(events.frame().subarray(9));
    while (records.next()) swarm.apply(records.record);
  };
  apply((events) => {
    for (const node of [0, 1]) {
      events.join(0, node, { group: node, level: 3, peerId: new Uint8Array(20), reserved, ip: Uint8Array.of(10, 0, 0, node), port: 1, up: 0, down: 0, pieces: node === 0 ? "all" : "none" });
    }
    events.opened(1, 0, 0, 1, false, reserved);
    events.opened(1, 1, 5, 0, true, reserved);
  });
  return { swarm, apply };
}

test("a link begins choked and not interested at both ends", () => {
  const { swarm } = pair(FAST);
  const link = swarm.link(1, 5);
  assert.deepEqual([link?.weChoke, link?.weInterested, link?.remoteChokes, link?.remoteInterested], [true, false, true, false]);
  assert.equal(swarm.opposite(link!)?.conn, 0);
});

test("each end keeps its own flags", () => {
  const { swarm, apply } = pair(FAST);
  apply((events) => {
    events.message(2, true, 1, 5, 2);
    events.message(3, true, 0, 0, 1);
  });
  assert.equal(swarm.link(1, 5)?.weInterested, true);
  assert.equal(swarm.link(0, 0)?.remoteInterested, false, "it has not arrived");
  apply((events) => events.message(4, false, 0, 0, 2));
  assert.equal(swarm.link(0, 0)?.remoteInterested, true);
});

test("a request is outstanding until its piece comes, it is cancelled or rejected", () => {
  const { swarm, apply } = pair(FAST);
  const asked = (): number => (swarm.link(1, 5)?.requests.length ?? 0) / 3;
  apply((events) => { for (const begin of [0, 16384, 32768]) events.message(2, true, 1, 5, 6, [7, begin, 16384]); });
  assert.equal(asked(), 3);
  apply((events) => events.message(3, false, 1, 5, 7, [7, 16384, 16384]));
  assert.equal(asked(), 2);
  apply((events) => events.message(4, true, 1, 5, 8, [7, 0, 16384]));
  assert.equal(asked(), 1);
  apply((events) => events.message(5, false, 1, 5, 16, [7, 32768, 16384]));
  assert.equal(asked(), 0);
  assert.equal(swarm.link(1, 5)?.received, 16384);
  assert.equal(swarm.nodes[1]?.received, 16384);
});

test("a choke withdraws requests where one end does not speak the fast extension, and only there", () => {
  for (const [reserved, left] of [[PLAIN, 0], [FAST, 1]] as const) {
    const { swarm, apply } = pair(reserved);
    apply((events) => {
      events.message(2, true, 1, 5, 6, [7, 0, 16384]);
      events.message(3, false, 1, 5, 0);
    });
    assert.equal((swarm.link(1, 5)?.requests.length ?? 0) / 3, left);
  }
});

test("pieces come and go with their verdict, and availability follows who is here", () => {
  const { swarm, apply } = pair(FAST);
  assert.equal(swarm.availability[3], 1);
  apply((events) => events.plain(2, Kind.Verified, [1, 3], 1));
  assert.deepEqual([swarm.availability[3], swarm.nodes[1]?.haveCount], [2, 1]);
  apply((events) => events.plain(3, Kind.Verified, [1, 3], 0));
  assert.deepEqual([swarm.availability[3], swarm.nodes[1]?.haveCount], [1, 0]);
  apply((events) => events.plain(4, Kind.Leave, [0], 0));
  assert.deepEqual([swarm.availability[3], swarm.present, swarm.complete], [0, 1, 0]);
  assert.equal(openLinks(swarm.nodes[0]!).length, 0, "who leaves has no links");
});

test("a peer is complete when it says so, until it joins again; what it sent and received stays", () => {
  const { swarm, apply } = pair(FAST);
  apply((events) => {
    events.message(2, false, 1, 5, 7, [0, 0, 16384]);
    events.plain(3, Kind.Completed, [1]);
  });
  assert.deepEqual([swarm.nodes[1]?.complete, swarm.nodes[1]?.completedAt, swarm.complete], [true, 3, 2]);
  apply((events) => {
    events.plain(4, Kind.Leave, [1], 1);
    events.join(5, 1, { group: 1, level: 3, peerId: new Uint8Array(20), reserved: FAST, ip: Uint8Array.of(10, 0, 0, 1), port: 1, up: 0, down: 0, pieces: "none" });
  });
  const node = swarm.nodes[1]!;
  assert.deepEqual([node.complete, node.completedAt, node.joinedAt, node.received, node.haveCount], [false, 3, 0, 16384, 0]);
});

test("rates are what passed in the last two seconds", () => {
  const { swarm, apply } = pair(FAST);
  apply((events) => events.message(1_000_000, false, 1, 5, 7, [0, 0, 16384]));
  apply((events) => events.message(2_000_000, false, 1, 5, 7, [0, 16384, 16384]));
  swarm.moveTo(2_500_000);
  assert.equal(swarm.link(1, 5)?.recentIn, 32768);
  swarm.moveTo(3_000_000);
  assert.equal(swarm.link(1, 5)?.recentIn, 16384);
  swarm.moveTo(4_000_001);
  assert.deepEqual([swarm.link(1, 5)?.recentIn, swarm.nodes[1]?.recentIn], [0, 0]);
});

test("what speaks of a node or link that is not there changes nothing", () => {
  const { swarm, apply } = pair(FAST);
  const before = keyframe(swarm);
  apply((events) => {
    events.message(1, true, 1, 77, 1);
    events.plain(1, Kind.Completed, [99]);
    events.plain(1, Kind.Choked, [99, 1], 0);
    events.plain(1, Kind.Verified, [1, 9999], 1);
  });
  assert.deepEqual(keyframe(swarm), before);
});

const WRITTEN = synthetic(PLAN);

test("what the page counts is what the end frame says", () => {
  const recording = recorded(WRITTEN.bytes);
  assert.equal(recording.trouble, null);
  assert.deepEqual(
    [recording.totals.records, recording.totals.joins, recording.totals.completions],
    [recording.ended?.records, recording.ended?.joined, recording.ended?.completed],
  );
  assert.deepEqual([WRITTEN.records, WRITTEN.joined, WRITTEN.completed], [recording.totals.records, recording.totals.joins, recording.totals.completions]);
  assert.equal(WRITTEN.completed > 3 && recording.keyframes.length > 3, true, "a swarm in which something happens");
});

test("a keyframe goes back and forth", () => {
  const { swarm } = WRITTEN;
  assert.deepEqual(differences(swarm, readKeyframe(keyframe(swarm).subarray(9), swarm.header)), []);
});

const FILES = readdirSync(TRACES).filter((name) => name.endsWith(".swt"));

test("the traces of the repository are there", () => assert.equal(FILES.length > 0, true));

for (const name of FILES) {
  test(`${name}: counts equal the end frame's, and each keyframe equals the records before it`, () => {
    const recording = recorded(readFileSync(new URL(name, TRACES)));
    assert.equal(recording.trouble, null);
    assert.deepEqual([recording.totals.records, recording.totals.joins], [recording.ended?.records, recording.ended?.joined]);
    const swarm = new Swarm(recording.header!);
    for (const entry of recording.entries) {
      if (entry.kind !== EVENTS) {
        assert.deepEqual(differences(swarm, readKeyframe(entry.body, recording.header!)), [], `keyframe at ${entry.start}`);
        continue;
      }
      const records = new Records(entry.body);
      while (records.next()) swarm.apply(records.record);
    }
  });
}

test("wherever one comes from, a moment is the same", () => {
  const recording = recorded(WRITTEN.bytes);
  const player = new Player(recording);
  // A fixed walk over the run: on, back, far and near.
  for (const second of [3, 4, 4.5, 21.25, 20, 29, 6, 0.05, 40, 12.125, 12.125]) {
    const time = second * 1e6;
    player.goTo(time);
    while (!player.work(1000));
    const expected = folded(recording, time);
    assert.equal(player.swarm.time, time);
    assert.deepEqual(differences(player.swarm, expected), [], `at ${second} s`);
    assert.deepEqual(player.swarm.nodes.map((node) => node?.recentIn), expected.nodes.map((node) => node?.recentIn), `rates at ${second} s`);
  }
});

test("a player works in slices and arrives all the same", () => {
  const recording = recorded(WRITTEN.bytes);
  const player = new Player(recording);
  player.goTo(recording.end);
  // A clock that says every look is late.
  let late = 0;
  while (!player.work(0, () => (late += 1)));
  assert.deepEqual(differences(player.swarm, WRITTEN.swarm), []);
});

test("a trace that ends in the middle shows what is whole, and says that it has no end", () => {
  for (const share of [0.3, 0.6, 0.95]) {
    const recording = recorded(WRITTEN.bytes.subarray(0, Math.floor(WRITTEN.bytes.length * share)));
    assert.equal(recording.trouble, null);
    assert.equal(recording.cutShort, true);
    assert.equal(recording.totals.records > 0 && recording.totals.records < WRITTEN.records, true);
  }
});

test("a frame whose records break off counts as far as it goes", () => {
  const header = headerFrame(headerOf(PLAN));
  const events = new Events(0);
  events.plain(10, Kind.Completed, [3]);
  events.plain(20, 200, [3]);
  const recording = recorded(Uint8Array.from([...opening(), ...header, ...events.frame()]));
  assert.match(recording.trouble?.message ?? "", /no record of kind 200/);
  assert.equal(recording.totals.records, 1);
  const player = new Player(recording);
  player.goTo(100);
  assert.equal(player.work(1000), true);
});

test("behind a gap the swarm is taken from the keyframe", () => {
  const recording = new Recording();
  const header = headerFrame(headerOf({ ...PLAN, peers: 2 }));
  const { swarm, apply } = pair(FAST);
  const before = new Events(0);
  before.join(0, 0, { group: 0, level: 3, peerId: new Uint8Array(20), reserved: FAST, ip: Uint8Array.of(1, 2, 3, 4), port: 1, up: 0, down: 0, pieces: "all" });
  recording.feed(Uint8Array.from([...opening(), ...header, ...before.frame()]));
  recording.work(1000);
  recording.noteGap();
  apply((events) => events.plain(5_000_000, Kind.Verified, [1, 2], 1));
  recording.feed(keyframe(swarm));
  recording.work(1000);
  assert.deepEqual(recording.gaps, [{ from: 0, to: 5_000_000 }]);
  const player = new Player(recording);
  player.goTo(0);
  player.work(1000);
  assert.equal(player.swarm.present, 1);
  player.goTo(5_000_000);
  player.work(1000);
  assert.deepEqual(differences(player.swarm, swarm), []);
});

test("steps go from event to event, forth and back, of all or of one peer", () => {
  const recording = recorded(WRITTEN.bytes);
  for (const filter of [{}, { node: 3 }]) {
    const times: number[] = [];
    for (let time = nextTime(recording, -1, filter); time !== null && times.length < 200; time = nextTime(recording, time, filter)) times.push(time);
    const back: number[] = [times.at(-1)!];
    for (let time = lastTime(recording, back[0], filter); time !== null; time = lastTime(recording, time, filter)) back.unshift(time);
    assert.deepEqual(back, times);
    assert.equal(times.length > 20 && times.every((time, index) => index === 0 || time > times[index - 1]), true);
  }
});

test("a list of a peer holds its records and nobody else's, in order", () => {
  const recording = recorded(WRITTEN.bytes);
  let listing = { records: [] as { node: number; remote: number; time: number; kind: number }[], done: false };
  for (const each of collect(recording, { node: 3 }, 0, Infinity)) listing = each;
  assert.equal(listing.done && listing.records.length > 20, true);
  assert.equal(listing.records.every((record) => record.node === 3 || record.remote === 3), true);
  assert.equal(listing.records.every((record, index) => index === 0 || record.time >= listing.records[index - 1].time), true);
  const last = latest(recording, 10e6, { node: 3 }, 5);
  assert.deepEqual(last.map((record) => record.time), listing.records.filter((record) => record.time <= 10e6).slice(-5).reverse().map((record) => record.time));
});
