// The reader of the format, against what the encoder writes and against bytes that are wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "../../src/trace/crc.js";
import { Cursor, Malformed } from "../../src/trace/cursor.js";
import { Frames } from "../../src/trace/frames.js";
import { BadHeader, readHeader } from "../../src/trace/header.js";
import { Kind, Records, type Record } from "../../src/trace/records.js";
import { endFrame, Events, frame, headerFrame, opening, Sink } from "../encoder.js";

const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const all = (events: Events): Record[] => {
  const records = new Records(events.frame().subarray(9));
  const found: Record[] = [];
  while (records.next()) found.push({ ...records.record });
  return found;
};

test("the check sum is that of IEEE 802.3", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assert.equal(crc32(new Uint8Array(0)), 0);
});

test("varints go back and forth up to 2^53", () => {
  for (const value of [0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32 + 5, 2 ** 53 - 1]) {
    assert.equal(new Cursor(new Sink().varint(value).done()).varint(), value);
  }
  assert.throws(() => new Cursor(Uint8Array.from(new Array<number>(11).fill(0x80))).varint(), Malformed);
  assert.throws(() => new Cursor(Uint8Array.of(0x80)).varint(), Malformed);
});

test("frames come out alike in whatever portions the bytes come", () => {
  const file = joined(opening(), frame(1, Uint8Array.of(1, 2)), frame(2, new Uint8Array(300).fill(7)), frame(99, Uint8Array.of(9)), frame(4, new Uint8Array(0)));
  for (const portion of [1, 2, 3, 7, 16, 64, file.length]) {
    const frames = new Frames();
    const found: number[][] = [];
    for (let at = 0; at < file.length; at += portion) for (const each of frames.push(file.subarray(at, at + portion))) found.push([each.kind, each.body.length]);
    assert.deepEqual(found, [[1, 2], [2, 300], [99, 1], [4, 0]], `portions of ${portion}`);
    assert.equal(frames.trouble, null);
    assert.equal(frames.read, file.length);
    assert.equal(frames.waiting, 0);
  }
});

test("what is no trace is refused at the first wrong byte", () => {
  const frames = new Frames();
  frames.push(new TextEncoder().encode("swarmlab traffic"));
  assert.equal(frames.trouble?.kind, "foreign");
  assert.equal(frames.trouble?.offset, "swarmlab tra".length);
  assert.equal(new Frames().push(new TextEncoder().encode("swarm")).length, 0);
});

test("a version to come is refused by its number", () => {
  const frames = new Frames();
  frames.push(opening(2));
  assert.equal(frames.trouble?.kind, "version");
  assert.match(frames.trouble?.message ?? "", /version 2 .* reads version 1/);
});

test("a frame with a flipped bit ends the reading, and what was whole before it counts", () => {
  const good = frame(1, Uint8Array.of(1, 2, 3));
  const bad = frame(2, Uint8Array.of(4, 5, 6));
  bad[bad.length - 1] ^= 1;
  const frames = new Frames();
  assert.equal(frames.push(joined(opening(), good, bad, good)).length, 1);
  assert.equal(frames.trouble?.kind, "broken");
  assert.equal(frames.trouble?.offset, 16 + good.length);
});

test("a frame longer than any is refused before its body comes", () => {
  const frames = new Frames();
  frames.push(joined(opening(), Uint8Array.of(2, 0, 0, 0, 5, 0, 0, 0, 0)));
  assert.match(frames.trouble?.message ?? "", /64 MiB/);
});

test("a header without content is a tracker's, one of another schema is refused", () => {
  const read = (json: object): ReturnType<typeof readHeader> => readHeader(headerFrame(json).subarray(9));
  assert.equal(read({ world: "real", content: null, groups: [], nodes: 0 }).content.piece_count, 0);
  assert.equal(read({ world: "real", content: null }).world, "real");
  assert.throws(() => read({ schema: "trace/2" }), BadHeader);
  assert.throws(() => readHeader(new TextEncoder().encode("{")), BadHeader);
  assert.throws(() => read({ content: { piece_count: 1e9 } }), BadHeader);
});

test("each kind of record is read as it was written", () => {
  const events = new Events(1_000_000);
  const id = Uint8Array.from({ length: 20 }, (_, index) => index);
  const fast = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 4);
  const text = new TextEncoder().encode("GET /announce HTTP/1.1\r\n\r\n");
  events.join(1_000_000, 7, { group: 1, level: 3, peerId: id, reserved: fast, ip: Uint8Array.of(10, 0, 0, 8), port: 6881, up: 250000, down: 0, pieces: Uint8Array.of(0xa0) });
  events.opened(1_000_500, 7, 300, 2, true, fast);
  events.message(1_000_500, true, 7, 300, 6, [3, 16384, 16384]);
  events.message(1_000_600, false, 7, 300, 5, Uint8Array.of(0xff, 0x80));
  events.message(1_000_600, false, 7, 300, 255);
  events.plain(1_000_700, Kind.Choked, [7, 300], 1);
  events.plain(1_000_700, Kind.Picked, [7, 300, 12], 1, [4]);
  events.plain(1_000_700, Kind.Verified, [7, 12], 0);
  events.plain(1_000_800, Kind.Leave, [7], 2);
  events.announce(1_000_900, 7, 1, [1, 2, 3_000_000_000_000], text);
  events.reply(1_001_000, 7, 0, 1800, 50, Uint8Array.of(0x64, 0x65));
  events.fault(1_001_000, 0, 1, 3, "tracker back");
  events.sample(1_002_000, { rarest: 2, announces: 9, uplinks: 1e9, groups: [{ leechers: 1, seeds: 2, completed: 3, sent: 4, received: 5 }] });
  events.plain(1_003_000, Kind.Lost, [77]);
  const found = all(events);
  assert.deepEqual(found.map((record) => record.time - 1_000_000), [0, 500, 500, 600, 600, 700, 700, 700, 800, 900, 1000, 1000, 2000, 3000]);
  assert.deepEqual(found[0].join, { group: 1, level: 3, peerId: id, reserved: fast, address: { ip: Uint8Array.of(10, 0, 0, 8), port: 6881 }, up: 250000, down: 0, pieces: Uint8Array.of(0xa0) });
  assert.deepEqual([found[1].node, found[1].conn, found[1].remote, found[1].reason], [7, 300, 2, 1]);
  assert.deepEqual([found[2].message, found[2].piece, found[2].begin, found[2].length], [6, 3, 16384, 16384]);
  assert.deepEqual(found[3].bytes, Uint8Array.of(0xff, 0x80));
  assert.equal(found[4].message, 255);
  assert.equal(found[5].reason, 1);
  assert.deepEqual([found[6].piece, found[6].reason, found[6].availability], [12, 1, 4]);
  assert.deepEqual([found[7].piece, found[7].reason], [12, 0]);
  assert.equal(found[8].reason, 2);
  assert.deepEqual(found[9].announce, { tracker: 0, event: 1, uploaded: 1, downloaded: 2, left: 3_000_000_000_000, bytes: text });
  assert.deepEqual(found[10].reply, { tracker: 0, outcome: 0, interval: 1800, peers: 50, bytes: Uint8Array.of(0x64, 0x65) });
  assert.deepEqual(found[11].fault, { kind: 0, phase: 1, group: 3, text: "tracker back" });
  assert.deepEqual(found[12].sample?.groups[0], { leechers: 1, seeds: 2, completed: 3, sent: 4, received: 5 });
  assert.equal(found[13].length, 77);
});

test("a body cut at any byte ends in a complaint or in whole records, never in silence beyond its end", () => {
  const events = new Events(5);
  events.message(9, true, 1, 2, 6, [3, 4, 5]);
  events.plain(400, Kind.Picked, [1, 2, 3], 1, [4]);
  const body = events.frame().subarray(9);
  for (let end = 1; end < body.length; end += 1) {
    const records = new Records(body.subarray(0, end));
    let count = 0;
    try {
      while (records.next()) count += 1;
      assert.equal(count < 2, true);
    } catch (error) {
      assert.equal(error instanceof Malformed, true);
    }
  }
  assert.throws(() => { const records = new Records(Uint8Array.of(0, 0, 200)); records.next(); }, Malformed);
});

test("the end frame is what the encoder says", () => {
  assert.deepEqual([...endFrame(5, 4, 3, 2, true).subarray(9)], [5, 4, 3, 2, 1]);
});
