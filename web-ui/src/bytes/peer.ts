// The handshake and the peer messages, made again from a trace and explained field by field (BEP 3, 5, 6, 10).
import type { Record } from "../trace/records.js";
import { MESSAGES, messageWords } from "../swarm/words.js";
import { address, ascii, bytes as size, hex } from "../ui/numbers.js";
import { explainValue, parse } from "./bencode.js";
import { span, type Explained, type Span } from "./span.js";

export const HANDSHAKE = 68;
const PROTOCOL = "BitTorrent protocol";

export function handshakeBytes(reserved: Uint8Array, infoHash: Uint8Array, peerId: Uint8Array): Uint8Array {
  const made = new Uint8Array(HANDSHAKE);
  made[0] = PROTOCOL.length;
  made.set(new TextEncoder().encode(PROTOCOL), 1);
  made.set(reserved, 20);
  made.set(infoHash, 28);
  made.set(peerId, 48);
  return made;
}

export function explainHandshake(bytes: Uint8Array): Explained {
  const part = (from: number, to: number): Uint8Array => bytes.subarray(from, to);
  const spans = [
    span(0, 1, "length", "length", String(bytes[0] ?? ""), "of the protocol's name"),
    span(1, 20, "text", "protocol", ascii(part(1, 20)), "which protocol is spoken"),
    span(20, 28, "id", "reserved", extensions(part(20, 28)), "one bit for each extension (BEP 4, 5, 6, 10)"),
    span(28, 48, "bytes", "info hash", hex(part(28, 48)), "SHA-1 of the info dictionary: which torrent"),
    span(48, 68, "number", "peer id", ascii(part(48, 68)), client(part(48, 68))),
  ].filter((each) => each.start < bytes.length);
  for (const each of spans) each.end = Math.min(each.end, bytes.length);
  const note = bytes.length < HANDSHAKE ? `The handshake ends after ${bytes.length} of ${HANDSHAKE} bytes.` : undefined;
  return { title: "handshake", bytes, spans, note };
}

export function extensions(reserved: Uint8Array): string {
  const known: string[] = [];
  if (reserved[5] & 0x10) known.push("extension protocol");
  if (reserved[7] & 0x01) known.push("DHT");
  if (reserved[7] & 0x04) known.push("fast extension");
  return known.length > 0 ? known.join(", ") : "no extension we know";
}

const CLIENTS: { [code: string]: string } = {
  SL: "swarmlab", TR: "Transmission", LT: "libtorrent", lt: "libtorrent (rakshasa)", qB: "qBittorrent", DE: "Deluge", UT: "uTorrent",
  AZ: "Azureus", rQ: "rqbit", A2: "aria2",
};

/** Which program a peer id belongs to (BEP 20). */
export function client(peerId: Uint8Array): string {
  const text = ascii(peerId);
  const azureus = /^-([A-Za-z0-9]{2})([A-Za-z0-9]{4})-/.exec(text);
  const name = azureus && CLIENTS[azureus[1]];
  if (azureus && name) return `${name}, version ${azureus[2].split("").join(".")}`;
  if (text.startsWith("A2-")) return "aria2";
  return "what the peer calls itself (BEP 20)";
}

/** The bytes of a message; those of a block, which no trace keeps, are left out. */
export function messageBytes(record: Record): { bytes: Uint8Array; missing: number } {
  const id = record.message;
  if (id === 255) return { bytes: new Uint8Array(4), missing: 0 };
  const body = messageBody(record);
  const missing = id === 7 ? record.length : 0;
  const made = new Uint8Array(5 + body.length);
  put(made, 0, 1 + body.length + missing);
  made[4] = id;
  made.set(body, 5);
  return { bytes: made, missing };
}

function messageBody(record: Record): Uint8Array {
  switch (record.message) {
    case 4: case 13: case 17: return words(record.piece);
    case 6: case 8: case 16: return words(record.piece, record.begin, record.length);
    case 7: return words(record.piece, record.begin);
    case 5: case 20: return record.bytes;
    case 9: return Uint8Array.of(record.length >> 8, record.length & 255);
    default: return new Uint8Array(0);
  }
}

function words(...values: number[]): Uint8Array {
  const made = new Uint8Array(4 * values.length);
  values.forEach((value, index) => put(made, 4 * index, value));
  return made;
}

function put(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value);
}

const PURPOSE: { [id: number]: string } = {
  255: "nothing to say, still here", 0: "the sender will not answer requests", 1: "the sender will answer requests",
  2: "the sender would ask if it were unchoked", 3: "the sender lacks nothing the receiver has", 4: "the sender has this piece, checked",
  5: "the pieces the sender has, a bit each", 6: "asks for a block", 7: "carries a block", 8: "takes a request back",
  9: "the UDP port of the sender's DHT node (BEP 5)", 13: "a piece the sender would like to be asked for (BEP 6)",
  14: "the sender has every piece (BEP 6)", 15: "the sender has no piece (BEP 6)", 16: "the request will not be answered (BEP 6)",
  17: "the sender answers for this piece even while it chokes (BEP 6)", 20: "a message of an extension (BEP 10)",
};

export function explainMessage(record: Record): Explained {
  const { bytes, missing } = messageBytes(record);
  const id = record.message;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const spans = [span(0, 4, "length", "length", String(length), "of what follows, in bytes")];
  if (id !== 255) {
    spans.push(span(4, 5, "id", "id", String(id), MESSAGES[id]));
    spans.push(...fields(id, bytes, record));
  }
  const note = missing > 0 ? `Then ${size(missing)} of content, which is not kept in a trace.` : PURPOSE[id];
  return { title: messageWords(record), bytes, spans, note: missing > 0 ? `${PURPOSE[id]}. ${note}` : note };
}

function fields(id: number, bytes: Uint8Array, record: Record): Span[] {
  const piece = span(5, 9, "number", "piece", String(record.piece), "index, from 0");
  const begin = span(9, 13, "bytes", "begin", String(record.begin), "offset in the piece, in bytes");
  switch (id) {
    case 4: case 13: case 17: return [piece];
    case 6: case 8: case 16: return [piece, begin, span(13, 17, "text", "length", String(record.length), "of the block, in bytes")];
    case 7: return [piece, begin];
    case 9: return [span(5, 7, "number", "port", String(record.length), "UDP")];
    case 5: return [span(5, bytes.length, "bytes", "bits", bits(record.bytes), "the highest bit of the first byte is piece 0")];
    case 20: return extended(bytes);
    default: return [];
  }
}

function bits(bytes: Uint8Array): string {
  const text = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(2).padStart(8, "0")).join(" ");
  return bytes.length > 8 ? `${text} …` : text;
}

function extended(bytes: Uint8Array): Span[] {
  const id = bytes[5] ?? 0;
  const spans = [span(5, 6, "number", "extension id", String(id), id === 0 ? "the extension handshake" : "as the receiver asked in its handshake")];
  if (bytes[6] !== 0x64) return bytes.length > 6 ? [...spans, span(6, bytes.length, "bytes", "payload", hex(bytes.subarray(6, 26)))] : spans;
  const value = parse(bytes, 6);
  spans.push(explainValue(bytes, value, "dictionary"));
  if (value.end < bytes.length) spans.push(span(value.end, bytes.length, "bytes", "data", `${bytes.length - value.end} bytes`));
  return spans;
}

/** Compact peers: 6 bytes each with IPv4, 18 with IPv6 (BEP 23, BEP 7). */
export function compactPeers(bytes: Uint8Array, start: number, end: number, each: 6 | 18): Span[] {
  const spans: Span[] = [];
  for (let at = start; at + each <= end; at += each) {
    const ip = bytes.subarray(at, at + each - 2);
    const port = (bytes[at + each - 2] << 8) | bytes[at + each - 1];
    spans.push(span(at, at + each, "bytes", "peer", address(ip, port), undefined, [
      span(at, at + each - 2, "bytes", "address", address(ip, port).replace(/:\d+$/, ""), "4 bytes of IPv4, or 16 of IPv6"),
      span(at + each - 2, at + each, "number", "port", String(port), "high byte first"),
    ]));
  }
  return spans;
}
