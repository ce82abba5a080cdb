// Messages, handshakes, announces and replies made again byte by byte, against the examples of the BEPs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { explainHandshake, explainMessage, handshakeBytes, messageBytes } from "../../src/bytes/peer.js";
import { leaves, type Span } from "../../src/bytes/span.js";
import { explainBencode, explainReply, explainRequest, explainTorrent, torrentTable } from "../../src/bytes/tracker.js";
import { emptyRecord, type Record } from "../../src/trace/records.js";
import { hex } from "../../src/ui/numbers.js";

const text = (value: string): Uint8Array => Uint8Array.from(value, (character) => character.charCodeAt(0));
const message = (fields: Partial<Record>): Record => ({ ...emptyRecord(), ...fields });

/** Every byte is named once, in order. */
function covers(spans: readonly Span[], length: number): void {
  let at = 0;
  for (const leaf of leaves(spans)) {
    assert.equal(leaf.start, at, `${leaf.name} begins where the last ended`);
    at = leaf.end;
  }
  assert.equal(at, length);
}

test("messages are the bytes of BEP 3 and BEP 6", () => {
  const table: [Partial<Record>, string][] = [
    [{ message: 255 }, "00000000"],
    [{ message: 0 }, "0000000100"],
    [{ message: 1 }, "0000000101"],
    [{ message: 2 }, "0000000102"],
    [{ message: 3 }, "0000000103"],
    [{ message: 4, piece: 258 }, "000000050400000102"],
    [{ message: 5, bytes: Uint8Array.of(0xff, 0x80) }, "0000000305ff80"],
    [{ message: 6, piece: 1, begin: 16384, length: 16384 }, "0000000d06000000010000400000004000"],
    [{ message: 8, piece: 1, begin: 0, length: 16384 }, "0000000d08000000010000000000004000"],
    [{ message: 9, length: 6881 }, "00000003091ae1"],
    [{ message: 13, piece: 5 }, "000000050d00000005"],
    [{ message: 14 }, "000000010e"],
    [{ message: 15 }, "000000010f"],
    [{ message: 16, piece: 1, begin: 0, length: 16384 }, "0000000d10000000010000000000004000"],
    [{ message: 17, piece: 9 }, "000000051100000009"],
    [{ message: 20, bytes: text("\u0000d1:md11:ut_metadatai3eee") }, "0000001a1400" + hex(text("d1:md11:ut_metadatai3eee"))],
  ];
  for (const [fields, expected] of table) {
    const record = message(fields);
    assert.equal(hex(messageBytes(record).bytes), expected);
    covers(explainMessage(record).spans, expected.length / 2);
  }
});

test("the content of a piece is not there, and the length counts it all the same", () => {
  const { bytes, missing } = messageBytes(message({ message: 7, piece: 2, begin: 0, length: 16384 }));
  assert.equal(hex(bytes), "00004009070000000200000000");
  assert.equal(missing, 16384);
  assert.match(explainMessage(message({ message: 7, length: 16384 })).note ?? "", /16\.0 KiB of content, which is not kept/);
});

test("a handshake is 68 bytes in five fields", () => {
  const reserved = Uint8Array.of(0, 0, 0, 0, 0, 0x10, 0, 0x05);
  const bytes = handshakeBytes(reserved, new Uint8Array(20).fill(0xab), text("-SL0100-abcdefghijkl"));
  const explained = explainHandshake(bytes);
  assert.equal(hex(bytes), `13${hex(text("BitTorrent protocol"))}0000000000100005${"ab".repeat(20)}${hex(text("-SL0100-abcdefghijkl"))}`);
  assert.deepEqual(explained.spans.map((span) => [span.name, span.end - span.start]), [["length", 1], ["protocol", 19], ["reserved", 8], ["info hash", 20], ["peer id", 20]]);
  assert.equal(explained.spans[2].value, "extension protocol, DHT, fast extension");
  assert.equal(explained.spans[4].meaning, "swarmlab, version 0.1.0.0");
  assert.equal(new Set(explained.spans.map((span) => span.hue)).size, 5, "five colours");
  covers(explained.spans, 68);
  assert.match(explainHandshake(bytes.subarray(0, 30)).note ?? "", /30 of 68/);
});

test("the four examples of bencode", () => {
  const shape = (span: Span): unknown => (span.parts?.length ? [span.name, span.value, span.parts.map(shape)] : [span.name, span.value]);
  for (const [written, value] of [["5:hello", "hello"], ["i42e", "42"], ["l5:helloi42ee", "2 items"], ["d5:hello5:worlde", "1 key"]]) {
    const explained = explainBencode(text(written));
    assert.equal(explained.spans[0].value, value);
    covers(explained.spans, written.length);
  }
  assert.deepEqual(shape(explainBencode(text("d5:hello5:worlde")).spans[0]), ["dictionary", "1 key", [
    ["d", "a dictionary begins"], ["key", "hello", [["length", "5"], ["text", "hello"]]], ["hello", "world", [["length", "5"], ["text", "world"]]], ["e", "the dictionary ends"],
  ]]);
});

test("what is no bencode is marked where it goes wrong, and nothing is lost", () => {
  for (const written of ["5:hell", "i4x2e", "l5:hello", "d5:hello", "di1e1:ae", "x", "i042e", "99999999999:", "4:spamtail"]) {
    const explained = explainBencode(text(written));
    assert.equal(leaves(explained.spans).some((leaf) => leaf.hue === "wrong"), true, written);
  }
  assert.equal(leaves(explainBencode(text("l".repeat(5000))).spans).length < 200, true, "bounded in depth");
});

test("an announce is explained key by key", () => {
  const written = "GET /announce?info_hash=%12%34%ab&peer_id=-SL0100-000000000007&port=6881&uploaded=0&downloaded=16384&left=3&compact=1&event=started HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n";
  const explained = explainRequest(text(written));
  const find = (name: string): Span => explained.spans.find((span) => span.name === name)!;
  assert.equal(find("method").value, "GET");
  assert.equal(find("path").value, "/announce");
  assert.equal(find("info_hash").value, "1234ab");
  assert.equal(find("downloaded").value, "16384 (16.0 KiB)");
  assert.match(find("peer_id").meaning ?? "", /swarmlab, version 0\.1\.0\.0/);
  assert.equal(find("event").value, "started");
  assert.equal(find("header").value, "Host: 10.0.0.1");
  for (const span of explained.spans) assert.equal(span.end <= written.length && span.start < span.end, true, span.name);
});

test("compact peers of a reply are decoded", () => {
  const explained = explainReply(Uint8Array.from([...text("d8:intervali1800e5:peers12:"), 10, 0, 0, 1, 0x1a, 0xe1, 192, 168, 0, 9, 0xc8, 0xd5, ...text("6:peers618:"), ...new Array<number>(15).fill(0), 1, 0x1a, 0xe1, 0x65]));
  const found = JSON.stringify(explained.spans);
  for (const value of ["10.0.0.1:6881", "192.168.0.9:51413", "[::1]:6881", "seconds until the next announce"]) assert.equal(found.includes(value), true, value);
  covers(explained.spans, explained.bytes.length);
});

test("a torrent is a table, and its hashes are one for each piece", () => {
  const written = text(`d8:announce14:http://t/a/ann4:infod6:lengthi40000e4:name1:x12:piece lengthi16384e6:pieces60:${"h".repeat(60)}ee`);
  const explained = explainTorrent(written);
  assert.equal(leaves(explained.spans).filter((leaf) => leaf.name === "hash").length, 3);
  covers(explained.spans, written.length);
  const rows = Object.fromEntries(torrentTable(written).map((row) => [row.name, row.value]));
  assert.deepEqual([rows.announce, rows.length, rows.pieces], ["http://t/a/ann", "40000 (39.1 KiB)", "3 hashes"]);
});
