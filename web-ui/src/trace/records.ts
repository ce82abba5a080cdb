// The records inside an events frame, read one after the other into a single reused object: no allocation a record.
import { Cursor, Malformed } from "./cursor.js";

/** Kinds of records, by their numbers in the file. */
export const enum Kind {
  Join = 1,
  Leave = 2,
  Dial = 3,
  DialFailed = 4,
  Opened = 5,
  Closed = 6,
  Sent = 16,
  Received = 17,
  Unchoked = 32,
  Choked = 33,
  Picked = 34,
  Snubbed = 35,
  Banned = 36,
  Endgame = 37,
  Verified = 48,
  Completed = 49,
  Announce = 56,
  Reply = 57,
  Fault = 64,
  Sample = 65,
  Lost = 80,
}

/** What there is to say of a node that joins. */
export interface Join {
  group: number;
  level: number;
  peerId: Uint8Array;
  /** The 8 bytes of its own handshake. */
  reserved: Uint8Array;
  address: Address;
  up: number;
  down: number;
  pieces: Pieces;
}

export interface Address {
  ip: Uint8Array;
  port: number;
}

/** Which pieces: none, all, or the bits as on the wire. */
export type Pieces = "none" | "all" | Uint8Array;

export interface GroupSample {
  leechers: number;
  seeds: number;
  completed: number;
  sent: number;
  received: number;
}

/** The swarm at one moment, all nodes counted. */
export interface Sample {
  rarest: number;
  announces: number;
  /** Bytes per second. */
  uplinks: number;
  groups: GroupSample[];
}

export interface Announce {
  tracker: number;
  event: number;
  uploaded: number;
  downloaded: number;
  left: number;
  bytes: Uint8Array;
}

export interface Reply {
  tracker: number;
  outcome: number;
  interval: number;
  peers: number;
  bytes: Uint8Array;
}

export interface Fault {
  kind: number;
  phase: number;
  group: number | null;
  text: string;
}

/**
 * The record last read. Which fields count depends on `kind`:
 * `piece`, `begin`, `length` of a message, a pick, a verdict; `reason` is the byte of leave, closed, (un)choked, picked,
 * `ok` of verified, direction of opened; `message` is the id of a message, 255 for keep-alive.
 */
export interface Record {
  kind: number;
  time: number;
  node: number;
  conn: number;
  remote: number;
  reason: number;
  message: number;
  piece: number;
  begin: number;
  length: number;
  availability: number;
  bytes: Uint8Array;
  join: Join | null;
  announce: Announce | null;
  reply: Reply | null;
  fault: Fault | null;
  sample: Sample | null;
}

const NOTHING = new Uint8Array(0);

export function emptyRecord(): Record {
  return {
    kind: 0, time: 0, node: -1, conn: -1, remote: -1, reason: 0, message: 0, piece: 0, begin: 0, length: 0,
    availability: 0, bytes: NOTHING, join: null, announce: null, reply: null, fault: null, sample: null,
  };
}

/** Reads the records of one events frame. */
export class Records {
  readonly record = emptyRecord();
  private readonly cursor: Cursor;
  private time: number;

  constructor(body: Uint8Array) {
    this.cursor = new Cursor(body);
    this.time = this.cursor.varint();
  }

  /** The offset in the body of the record that `next` reads. */
  get at(): number {
    return this.cursor.at;
  }

  /** Reads one more into `record`; false at the end. */
  next(): boolean {
    const cursor = this.cursor;
    if (cursor.done) return false;
    const record = this.record;
    this.time += cursor.varint();
    record.time = this.time;
    record.kind = cursor.byte();
    record.node = -1;
    record.conn = -1;
    readFields(cursor, record);
    return true;
  }
}

/** The time an events frame begins with. */
export function firstTime(body: Uint8Array): number {
  return new Cursor(body).varint();
}

function readFields(cursor: Cursor, record: Record): void {
  switch (record.kind) {
    case Kind.Sent:
    case Kind.Received:
      record.node = cursor.varint();
      record.conn = cursor.varint();
      readMessage(cursor, record);
      return;
    case Kind.Join:
      record.node = cursor.varint();
      record.join = readJoin(cursor);
      return;
    case Kind.Leave:
      record.node = cursor.varint();
      record.reason = cursor.byte();
      return;
    case Kind.Dial:
    case Kind.DialFailed:
      record.node = cursor.varint();
      record.remote = cursor.varint();
      return;
    case Kind.Opened:
      record.node = cursor.varint();
      record.conn = cursor.varint();
      record.remote = cursor.varint();
      record.reason = cursor.byte();
      record.bytes = cursor.take(8);
      return;
    case Kind.Closed:
    case Kind.Unchoked:
    case Kind.Choked:
      record.node = cursor.varint();
      record.conn = cursor.varint();
      record.reason = cursor.byte();
      return;
    case Kind.Picked:
      record.node = cursor.varint();
      record.conn = cursor.varint();
      record.piece = cursor.varint();
      record.reason = cursor.byte();
      record.availability = cursor.varint();
      return;
    case Kind.Snubbed:
      record.node = cursor.varint();
      record.conn = cursor.varint();
      return;
    case Kind.Banned:
      record.node = cursor.varint();
      record.conn = cursor.varint();
      record.piece = cursor.varint();
      return;
    case Kind.Endgame:
    case Kind.Completed:
      record.node = cursor.varint();
      return;
    case Kind.Verified:
      record.node = cursor.varint();
      record.piece = cursor.varint();
      record.reason = cursor.byte();
      return;
    case Kind.Announce:
      record.node = cursor.varint();
      record.announce = {
        tracker: cursor.varint(), event: cursor.byte(), uploaded: cursor.varint(), downloaded: cursor.varint(),
        left: cursor.varint(), bytes: cursor.counted(),
      };
      return;
    case Kind.Reply:
      record.node = cursor.varint();
      record.reply = {
        tracker: cursor.varint(), outcome: cursor.byte(), interval: cursor.varint(), peers: cursor.varint(),
        bytes: cursor.counted(),
      };
      return;
    case Kind.Fault: {
      const kind = cursor.byte();
      const phase = cursor.byte();
      const group = cursor.varint();
      record.fault = { kind, phase, group: group === 0 ? null : group - 1, text: new TextDecoder().decode(cursor.counted()) };
      return;
    }
    case Kind.Sample:
      record.sample = readSample(cursor);
      return;
    case Kind.Lost:
      record.length = cursor.varint();
      return;
    default:
      throw new Malformed(`there is no record of kind ${record.kind}`);
  }
}

function readMessage(cursor: Cursor, record: Record): void {
  record.message = cursor.byte();
  switch (record.message) {
    case 0: case 1: case 2: case 3: case 14: case 15: case 255:
      return;
    case 4: case 13: case 17:
      record.piece = cursor.varint();
      return;
    case 5: case 20:
      record.bytes = cursor.counted();
      return;
    case 6: case 7: case 8: case 16:
      record.piece = cursor.varint();
      record.begin = cursor.varint();
      record.length = cursor.varint();
      return;
    case 9:
      record.length = cursor.varint();
      return;
    default:
      throw new Malformed(`there is no message with the id ${record.message}`);
  }
}

export function readAddress(cursor: Cursor): Address {
  const family = cursor.byte();
  if (family !== 4 && family !== 6) throw new Malformed(`there is no family of addresses ${family}`);
  const ip = cursor.take(family === 4 ? 4 : 16);
  return { ip, port: (cursor.byte() << 8) | cursor.byte() };
}

export function readPieces(cursor: Cursor): Pieces {
  const kind = cursor.byte();
  if (kind === 0) return "none";
  if (kind === 1) return "all";
  return cursor.counted();
}

function readJoin(cursor: Cursor): Join {
  return {
    group: cursor.varint(), level: cursor.byte(), peerId: cursor.take(20), reserved: cursor.take(8),
    address: readAddress(cursor), up: cursor.varint(), down: cursor.varint(), pieces: readPieces(cursor),
  };
}

export function readSample(cursor: Cursor): Sample {
  const sample: Sample = { rarest: cursor.varint(), announces: cursor.varint(), uplinks: cursor.varint(), groups: [] };
  const count = cursor.varint();
  for (let index = 0; index < count; index += 1) {
    sample.groups.push({
      leechers: cursor.varint(), seeds: cursor.varint(), completed: cursor.varint(), sent: cursor.varint(),
      received: cursor.varint(),
    });
  }
  return sample;
}
