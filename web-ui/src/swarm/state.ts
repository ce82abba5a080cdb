// The swarm at one moment, and how each record changes it. The rules are those of docs/trace.md, "Keyframe".
import type { Header } from "../trace/header.js";
import { Kind, type Join, type Record, type Sample } from "../trace/records.js";
import { Level, newLink, speaksFast, type Link, type Node } from "./model.js";
import * as bits from "./pieces.js";
import { Recent } from "./recent.js";

/** A word with the tracker, kept for some seconds so that it can be drawn. */
export interface Call {
  time: number;
  node: number;
  tracker: number;
  reply: boolean;
  /** What the announce said or how the reply came out. */
  detail: number;
}

const CALLS_KEPT_US = 4_000_000;
const NOT_CHOKED_BY = 0x80;

export class Swarm {
  time = 0;
  nodes: (Node | undefined)[] = [];
  /** How many present nodes whose pieces are recorded have each piece. */
  readonly availability: Int32Array;
  sample: Sample | null = null;
  calls: Call[] = [];
  /** Faults that have begun and not ended, by kind. */
  readonly faults = new Map<number, string>();
  present = 0;
  complete = 0;
  readonly pieceCount: number;
  private recent: Recent;

  constructor(readonly header: Header) {
    this.pieceCount = header.content.piece_count;
    this.availability = new Int32Array(this.pieceCount);
    this.recent = new Recent(this.nodes);
  }

  /** Moves the clock without a record, so that rates fade. */
  moveTo(time: number): void {
    if (time < this.time) return;
    this.time = time;
    this.recent.expire(time);
    while (this.calls.length > 0 && this.calls[0].time < time - CALLS_KEPT_US) this.calls.shift();
  }

  link(node: number, conn: number): Link | undefined {
    return this.nodes[node]?.links[conn];
  }

  /** The other end of a link, if that node is recorded too. */
  opposite(link: Link): Link | undefined {
    return this.nodes[link.remote]?.links.find((other) => other !== undefined && other.remote === link.node);
  }

  apply(record: Record): void {
    this.time = record.time;
    switch (record.kind) {
      case Kind.Sent:
        return this.sent(record);
      case Kind.Received:
        return this.received(record);
      case Kind.Join:
        if (record.join) this.join(record.node, record.join);
        return;
      case Kind.Leave:
        return this.leave(record);
      case Kind.Opened:
        return this.opened(record);
      case Kind.Closed: {
        const node = this.nodes[record.node];
        if (node) node.links[record.conn] = undefined;
        return;
      }
      case Kind.Unchoked:
      case Kind.Choked: {
        const link = this.link(record.node, record.conn);
        if (!link) return;
        link.why = record.reason;
        link.whyChoke = record.kind === Kind.Choked;
        return;
      }
      case Kind.Snubbed: {
        const link = this.link(record.node, record.conn);
        if (link) link.snubbed = true;
        return;
      }
      case Kind.Endgame: {
        const node = this.nodes[record.node];
        if (node) node.endgame = true;
        return;
      }
      case Kind.Verified:
        this.setPiece(this.nodes[record.node], record.piece, record.reason !== 0);
        return;
      case Kind.Completed:
        return this.completed(this.nodes[record.node]);
      case Kind.Announce:
        if (record.announce) this.call(record, record.announce.tracker, false, record.announce.event);
        return;
      case Kind.Reply:
        if (record.reply) this.call(record, record.reply.tracker, true, record.reply.outcome);
        return;
      case Kind.Fault:
        if (record.fault?.phase === 0) this.faults.set(record.fault.kind, record.fault.text);
        else if (record.fault?.phase === 1) this.faults.delete(record.fault.kind);
        return;
      case Kind.Sample:
        this.sample = record.sample;
        return;
      default:
    }
  }

  /** Puts in a node as a keyframe tells it. */
  place(node: Node): void {
    this.nodes[node.id] = node;
    if (!node.present) return;
    this.present += 1;
    if (node.complete) this.complete += 1;
    this.countPieces(node, 1);
  }

  private call(record: Record, tracker: number, reply: boolean, detail: number): void {
    this.calls.push({ time: record.time, node: record.node, tracker, reply, detail });
  }

  private join(id: number, join: Join): void {
    const before = this.nodes[id];
    if (before?.present) this.gone(before);
    const have = bits.fromPieces(join.pieces, this.pieceCount);
    const haveCount = bits.countOf(have);
    this.place({
      id, group: join.group, level: join.level, present: true, complete: haveCount === this.pieceCount && haveCount > 0, saidComplete: false,
      joinedAt: before?.joinedAt ?? this.time, completedAt: before?.completedAt ?? null, leftAt: null, leftWhy: 0, peerId: join.peerId, reserved: join.reserved, address: join.address,
      up: join.up, down: join.down, have, haveCount, sent: before?.sent ?? 0, received: before?.received ?? 0,
      recentOut: 0, recentIn: 0, endgame: false, links: [],
    });
  }

  private leave(record: Record): void {
    const node = this.nodes[record.node];
    if (!node?.present) return;
    this.gone(node);
    node.present = false;
    node.leftAt = record.time;
    node.leftWhy = record.reason;
    node.links = [];
  }

  private gone(node: Node): void {
    this.present -= 1;
    if (node.complete) this.complete -= 1;
    this.countPieces(node, -1);
  }

  private completed(node: Node | undefined): void {
    if (!node) return;
    if (node.completedAt === null) node.completedAt = this.time;
    node.saidComplete = true;
    this.setPieces(node, "all");
  }

  private opened(record: Record): void {
    const node = this.nodes[record.node];
    if (!node) return;
    const link = newLink(record.node, record.conn, record.remote);
    link.outgoing = record.reason === 1;
    link.reserved = record.bytes;
    link.openedAt = record.time;
    node.links[record.conn] = link;
  }

  private sent(record: Record): void {
    const link = this.link(record.node, record.conn);
    if (!link) return;
    switch (record.message) {
      case 0: link.weChoke = true; return;
      case 1: link.weChoke = false; return;
      case 2: link.weInterested = true; return;
      case 3: link.weInterested = false; return;
      case 6: link.requests.push(record.piece, record.begin, record.length); return;
      case 7: return this.content(link, record, true);
      case 8: forget(link, record); return;
      default:
    }
  }

  private received(record: Record): void {
    const link = this.link(record.node, record.conn);
    if (!link) return;
    const remote = this.nodes[link.remote];
    switch (record.message) {
      case 0:
        link.remoteChokes = true;
        if (!this.bothSpeakFast(link)) link.requests.length = 0;
        return;
      case 1: link.remoteChokes = false; return;
      case 2: link.remoteInterested = true; return;
      case 3: link.remoteInterested = false; return;
      case 7:
        forget(link, record);
        link.snubbed = false;
        return this.content(link, record, false);
      case 16: forget(link, record); return;
      case 4:
        if (remote?.level === Level.Seen) this.setPiece(remote, record.piece, true);
        return;
      case 5:
      case 14:
      case 15:
        if (remote?.level === Level.Seen) {
          this.setPieces(remote, record.message === 5 ? record.bytes : record.message === 14 ? "all" : "none");
        }
        return;
      default:
    }
  }

  private bothSpeakFast(link: Link): boolean {
    const ours = this.nodes[link.node]?.reserved;
    return speaksFast(link.reserved) && ours !== undefined && speaksFast(ours);
  }

  private content(link: Link, record: Record, sent: boolean): void {
    const node = this.nodes[link.node] as Node;
    if (sent) {
      link.sent += record.length;
      node.sent += record.length;
    } else {
      link.received += record.length;
      node.received += record.length;
    }
    this.recent.add(record.time, link, record.length, sent);
  }

  private setPieces(node: Node, pieces: Uint8Array | "all" | "none"): void {
    if (node.present) this.countPieces(node, -1);
    node.have = bits.fromPieces(pieces, this.pieceCount);
    node.haveCount = bits.countOf(node.have);
    if (node.present) this.countPieces(node, 1);
    this.judge(node);
  }

  private setPiece(node: Node | undefined, piece: number, to: boolean): void {
    if (!node || piece >= this.pieceCount || bits.has(node.have, piece) === to) return;
    if (to) bits.set(node.have, piece);
    else bits.clear(node.have, piece);
    node.haveCount += to ? 1 : -1;
    if (node.present) this.availability[piece] += to ? 1 : -1;
    this.judge(node);
  }

  private judge(node: Node): void {
    const complete = node.saidComplete || (this.pieceCount > 0 && node.haveCount === this.pieceCount);
    if (complete === node.complete) return;
    node.complete = complete;
    if (node.present) this.complete += complete ? 1 : -1;
  }

  private countPieces(node: Node, sign: number): void {
    if (node.haveCount === 0) return;
    for (let piece = 0; piece < this.pieceCount; piece += 1) {
      if (bits.has(node.have, piece)) this.availability[piece] += sign;
    }
  }
}

function forget(link: Link, record: Record): void {
  const { requests } = link;
  for (let at = 0; at < requests.length; at += 3) {
    if (requests[at] === record.piece && requests[at + 1] === record.begin) {
      requests.splice(at, 3);
      return;
    }
  }
}

/** Splits the byte in which a keyframe keeps the last decision: its reason, and whether it was a choke. */
export function readWhy(byte: number): { why: number; whyChoke: boolean } {
  if (byte === 255) return { why: 255, whyChoke: false };
  return { why: byte & ~NOT_CHOKED_BY, whyChoke: (byte & NOT_CHOKED_BY) !== 0 };
}
