// Writes traces as docs/trace.md describes them: for tests of the reader, and for the swarms that the benches play.
import { crc32 } from "../src/trace/crc.js";
import { END, EVENTS, HEADER, KEYFRAME, MAGIC } from "../src/trace/frames.js";
import { Kind, type Pieces, type Sample } from "../src/trace/records.js";
import { openLinks, type Link, type Node } from "../src/swarm/model.js";
import type { Swarm } from "../src/swarm/state.js";

/** Bytes that grow. */
export class Sink {
  private bytes = new Uint8Array(256);
  length = 0;

  byte(value: number): this {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = value;
    return this;
  }

  varint(value: number): this {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    return this.byte(rest);
  }

  raw(bytes: Uint8Array): this {
    if (this.length + bytes.length > this.bytes.length) this.grow(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  counted(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes);
  }

  done(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + by));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

export function frame(kind: number, body: Uint8Array): Uint8Array {
  const head = new Sink().byte(kind);
  for (const shift of [0, 8, 16, 24]) head.byte((body.length >>> shift) & 0xff);
  const sum = crc32(new Sink().raw(head.done()).raw(body).done());
  for (const shift of [0, 8, 16, 24]) head.byte((sum >>> shift) & 0xff);
  return head.raw(body).done();
}

export const opening = (version = 1): Uint8Array =>
  new Sink().raw(new TextEncoder().encode(MAGIC)).byte(version & 0xff).byte(version >> 8).done();

export const headerFrame = (header: object): Uint8Array =>
  frame(HEADER, new TextEncoder().encode(JSON.stringify({ schema: "trace/1", ...header })));

export interface JoinFields {
  group: number;
  level: number;
  peerId: Uint8Array;
  reserved: Uint8Array;
  ip: Uint8Array;
  port: number;
  up: number;
  down: number;
  pieces: Pieces;
}

/** One events frame under way. */
export class Events {
  private readonly sink = new Sink();
  private time: number;
  records = 0;

  constructor(start: number) {
    this.time = start;
    this.sink.varint(start);
  }

  get length(): number {
    return this.sink.length;
  }

  get now(): number {
    return this.time;
  }

  frame(): Uint8Array {
    return frame(EVENTS, this.sink.done());
  }

  join(at: number, node: number, join: JoinFields): void {
    const sink = this.begin(at, Kind.Join).varint(node).varint(join.group).byte(join.level).raw(join.peerId).raw(join.reserved);
    address(sink, join.ip, join.port).varint(join.up).varint(join.down);
    pieces(sink, join.pieces);
  }

  opened(at: number, node: number, conn: number, remote: number, outgoing: boolean, reserved: Uint8Array): void {
    this.begin(at, Kind.Opened).varint(node).varint(conn).varint(remote).byte(outgoing ? 1 : 0).raw(reserved);
  }

  /** Kinds whose fields are varints, then a byte, then varints. */
  plain(at: number, kind: number, before: number[], byte: number | null = null, after: number[] = []): void {
    const sink = this.begin(at, kind);
    for (const value of before) sink.varint(value);
    if (byte !== null) sink.byte(byte);
    for (const value of after) sink.varint(value);
  }

  message(at: number, sent: boolean, node: number, conn: number, id: number, fields: number[] | Uint8Array = []): void {
    const sink = this.begin(at, sent ? Kind.Sent : Kind.Received).varint(node).varint(conn).byte(id);
    if (fields instanceof Uint8Array) sink.counted(fields);
    else for (const value of fields) sink.varint(value);
  }

  announce(at: number, node: number, event: number, numbers: [number, number, number], bytes: Uint8Array): void {
    const sink = this.begin(at, Kind.Announce).varint(node).varint(0).byte(event);
    for (const value of numbers) sink.varint(value);
    sink.counted(bytes);
  }

  reply(at: number, node: number, outcome: number, interval: number, peers: number, bytes: Uint8Array): void {
    this.begin(at, Kind.Reply).varint(node).varint(0).byte(outcome).varint(interval).varint(peers).counted(bytes);
  }

  fault(at: number, kind: number, phase: number, group: number | null, text: string): void {
    this.begin(at, Kind.Fault).byte(kind).byte(phase).varint(group === null ? 0 : group + 1).counted(new TextEncoder().encode(text));
  }

  sample(at: number, value: Sample): void {
    sample(this.begin(at, Kind.Sample), value);
  }

  /** Times never go back: what would lie before the last record happens with it. */
  private begin(at: number, kind: number): Sink {
    const time = Math.max(at, this.time);
    this.records += 1;
    this.sink.varint(time - this.time).byte(kind);
    this.time = time;
    return this.sink;
  }
}

export function endFrame(time: number, records: number, joined: number, completed: number, finished: boolean): Uint8Array {
  return frame(END, new Sink().varint(time).varint(records).varint(joined).varint(completed).varint(finished ? 1 : 0).done());
}

/** The state as a keyframe. */
export function keyframe(swarm: Swarm): Uint8Array {
  const nodes = swarm.nodes.filter((node): node is Node => node !== undefined);
  const sink = new Sink().varint(swarm.time).varint(nodes.length);
  for (const node of nodes) {
    sink.varint(node.id).varint(node.group).byte(node.level).byte((node.present ? 1 : 0) | (node.complete ? 2 : 0));
    sink.varint(node.joinedAt).varint(node.completedAt === null ? 0 : node.completedAt + 1);
    sink.varint(node.leftAt === null ? 0 : node.leftAt + 1).raw(node.peerId).raw(node.reserved);
    address(sink, node.address.ip, node.address.port).varint(node.up).varint(node.down);
    pieces(sink, node.haveCount === 0 ? "none" : node.haveCount === swarm.pieceCount ? "all" : node.have);
    sink.varint(node.sent).varint(node.received);
    const links = openLinks(node);
    sink.varint(links.length);
    for (const each of links) link(sink, each);
  }
  sink.byte(swarm.sample ? 1 : 0);
  if (swarm.sample) sample(sink, swarm.sample);
  return frame(KEYFRAME, sink.done());
}

function link(sink: Sink, of: Link): void {
  sink.varint(of.conn).varint(of.remote).byte(of.outgoing ? 1 : 0).raw(of.reserved).varint(of.openedAt);
  const flags = [of.weChoke, of.weInterested, of.remoteChokes, of.remoteInterested, of.snubbed];
  sink.byte(flags.reduce((sum, flag, bit) => sum | (flag ? 1 << bit : 0), 0));
  sink.byte(of.why === 255 ? 255 : of.why | (of.whyChoke ? 0x80 : 0));
  sink.varint(of.sent).varint(of.received).varint(of.requests.length / 3);
  for (const value of of.requests) sink.varint(value);
}

function address(sink: Sink, ip: Uint8Array, port: number): Sink {
  return sink.byte(ip.length === 4 ? 4 : 6).raw(ip).byte(port >> 8).byte(port & 0xff);
}

function pieces(sink: Sink, value: Pieces): void {
  if (value === "none") sink.byte(0);
  else if (value === "all") sink.byte(1);
  else sink.byte(2).counted(value);
}

function sample(sink: Sink, value: Sample): void {
  sink.varint(value.rarest).varint(value.announces).varint(value.uplinks).varint(value.groups.length);
  for (const group of value.groups) {
    sink.varint(group.leechers).varint(group.seeds).varint(group.completed).varint(group.sent).varint(group.received);
  }
}
