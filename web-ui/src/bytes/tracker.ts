// What is said with a tracker, and the .torrent file: the GET request key by key, bencoded documents with what each key means.
import { bytes as size, hex, plural } from "../ui/numbers.js";
import { content, explainValue, find, integerOf, parse, shown, type Keys, type Value } from "./bencode.js";
import { client, compactPeers } from "./peer.js";
import { span, type Explained, type Span } from "./span.js";

const QUERY: { [key: string]: string } = {
  info_hash: "which torrent: SHA-1 of its info dictionary, %-encoded", peer_id: "what the peer calls itself, 20 bytes",
  port: "where the peer listens", uploaded: "bytes given away since it started", downloaded: "bytes received since it started",
  left: "bytes still lacking; 0 is a seed", compact: "1: peers in 6 bytes each, please (BEP 23)", event: "started, completed or stopped; absent between",
  numwant: "how many peers it would like to hear of", key: "recognises the peer should its address change", no_peer_id: "leave out peer ids",
  supportcrypto: "can encrypt", trackerid: "what the tracker called itself before", ip: "its address, should it differ", ipv6: "its IPv6 address",
};

/** `GET /announce?info_hash=...&port=6881 HTTP/1.1`, headers, a blank line. */
export function explainRequest(bytes: Uint8Array): Explained {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const spans: Span[] = [];
  const lineEnd = text.indexOf("\r\n") < 0 ? text.length : text.indexOf("\r\n");
  const line = text.slice(0, lineEnd);
  const question = line.indexOf("?");
  const version = line.lastIndexOf(" HTTP/");
  const method = line.indexOf(" ");
  if (method > 0) spans.push(span(0, method, "id", "method", line.slice(0, method), "asks for a document"));
  const pathEnd = question > 0 ? question : version > 0 ? version : line.length;
  if (method > 0) spans.push(span(method + 1, pathEnd, "text", "path", line.slice(method + 1, pathEnd), "where the tracker answers"));
  if (question > 0) {
    let at = question + 1;
    const end = version > question ? version : line.length;
    for (const pair of line.slice(at, end).split("&")) {
      spans.push(queryPair(pair, at));
      at += pair.length + 1;
    }
  }
  if (version > 0) spans.push(span(version + 1, lineEnd, "length", "version", line.slice(version + 1)));
  let at = lineEnd + 2;
  while (at < text.length) {
    const end = text.indexOf("\r\n", at) < 0 ? text.length : text.indexOf("\r\n", at);
    if (end > at) {
      const [name, ...rest] = text.slice(at, end).split(":");
      spans.push(span(at, end, "mark", "header", `${name}:${rest.join(":")}`));
    } else spans.push(span(at, Math.min(end + 2, text.length), "mark", "blank line", "", "the request ends"));
    at = end + 2;
  }
  return { title: "announce: the GET request", bytes, spans };
}

function queryPair(pair: string, at: number): Span {
  const equals = pair.indexOf("=");
  const key = equals < 0 ? pair : pair.slice(0, equals);
  const value = equals < 0 ? "" : pair.slice(equals + 1);
  const raw = unescaped(value);
  let read = value;
  if (key === "info_hash") read = hex(raw);
  if (key === "peer_id") read = shown(raw);
  if (key === "uploaded" || key === "downloaded" || key === "left") read = `${value} (${size(Number(value) || 0)})`;
  const meaning = key === "peer_id" ? `${QUERY[key]}: ${client(raw)}` : QUERY[key];
  return span(at, at + pair.length, key === "info_hash" || key === "peer_id" ? "bytes" : "number", key, read, meaning, [
    span(at, at + key.length, "text", "key", key),
    ...(equals < 0 ? [] : [span(at + equals, at + equals + 1, "mark", "=", "")]),
    ...(value === "" ? [] : [span(at + equals + 1, at + pair.length, key === "info_hash" || key === "peer_id" ? "bytes" : "number", "value", read)]),
  ]);
}

export function unescaped(text: string): Uint8Array {
  const made: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = text[at] === "%" ? parseInt(text.slice(at + 1, at + 3), 16) : NaN;
    if (Number.isNaN(code)) made.push(text.charCodeAt(at) & 255);
    else {
      made.push(code);
      at += 2;
    }
  }
  return Uint8Array.from(made);
}

const REPLY: { [key: string]: string } = {
  interval: "seconds until the next announce", "min interval": "seconds that must pass at least", complete: "how many seeds there are",
  incomplete: "how many leechers there are", downloaded: "how often it was completed", peers: "whom to connect to",
  peers6: "whom to connect to, IPv6 (BEP 7)", "failure reason": "why there is no answer", "warning message": "something to know",
  "tracker id": "to be sent back with the next announce", "external ip": "the address the tracker sees (BEP 24)",
};

const TORRENT: { [key: string]: string } = {
  announce: "where the tracker is", "announce-list": "trackers, in tiers (BEP 12)", comment: "for people", "created by": "which program made it",
  "creation date": "seconds since 1970", info: "what the info hash is the SHA-1 of", "info.name": "of the file or the directory",
  "info.length": "of the file, in bytes", "info.piece length": "bytes of a piece: what is hashed together",
  "info.pieces": "SHA-1 of each piece, 20 bytes each", "info.files": "the files, one after the other", "info.private": "1: peers come from the trackers alone (BEP 27)",
  "info.files[].length": "bytes", "info.files[].path": "directories and name", "url-list": "web seeds (BEP 19)",
};

function keysOf(words: { [key: string]: string }): Keys {
  return {
    meaning: (path) => words[path],
    special: (path, data, value) => {
      if (path === "peers") return compactPeers(data, value.from, value.end, 6);
      if (path === "peers6") return compactPeers(data, value.from, value.end, 18);
      if (path === "info.pieces") return hashes(data, value);
      return null;
    },
  };
}

/** A hash for each piece; of very many the first few, then the rest as one. */
function hashes(data: Uint8Array, value: Value): Span[] {
  const spans: Span[] = [];
  for (let at = value.from; at + 20 <= value.end; at += 20) {
    if (spans.length === 64 && at + 20 < value.end) {
      spans.push(span(at, value.end, "bytes", "hash", plural((value.end - at) / 20, "more hash", "more hashes")));
      break;
    }
    spans.push(span(at, at + 20, "bytes", "hash", hex(data.subarray(at, at + 20)), `of piece ${spans.length}`));
  }
  return spans;
}

export const explainReply = (bytes: Uint8Array): Explained => explainDocument("the tracker's reply", bytes, REPLY);
export const explainTorrent = (bytes: Uint8Array): Explained => explainDocument("the .torrent file", bytes, TORRENT);
export const explainBencode = (bytes: Uint8Array): Explained => explainDocument("bencode", bytes, {});

function explainDocument(title: string, bytes: Uint8Array, words: { [key: string]: string }): Explained {
  const value = parse(bytes);
  const spans = [explainValue(bytes, value, value.kind, keysOf(words))];
  if (value.end < bytes.length) spans.push(span(value.end, bytes.length, "wrong", "left over", `${bytes.length - value.end} bytes`));
  return { title, bytes, spans };
}

/** A torrent as the table of what it says. */
export function torrentTable(bytes: Uint8Array): { name: string; value: string; meaning: string }[] {
  const root = parse(bytes);
  const rows: { name: string; value: string; meaning: string }[] = [];
  const info = find(bytes, root, "info");
  const add = (name: string, value: Value | null, path: string): void => {
    if (!value) return;
    const number = integerOf(bytes, value);
    let text = number === null ? value.kind === "string" ? shown(content(bytes, value)) : plural(value.items.length, "item") : String(number);
    if (number !== null && name.includes("length")) text = `${number} (${size(number)})`;
    if (name === "pieces") text = plural(Math.floor((value.end - value.from) / 20), "hash", "hashes");
    rows.push({ name, value: text, meaning: TORRENT[path] ?? "" });
  };
  for (const name of ["announce", "announce-list", "comment", "created by", "creation date"]) add(name, find(bytes, root, name), name);
  if (info) for (const name of ["name", "length", "files", "piece length", "pieces", "private"]) add(name, find(bytes, info, name), `info.${name}`);
  return rows;
}

export { type Explained };
