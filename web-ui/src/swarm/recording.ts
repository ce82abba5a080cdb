// A trace in memory: its frames by time, and what one pass over all records counts. Fed as bytes come, worked through in
// slices, so that a page stays responsive whatever the size of the file.
import { Cursor, Malformed } from "../trace/cursor.js";
import { END, EVENTS, Frames, HEADER, KEYFRAME, type Frame, type Trouble } from "../trace/frames.js";
import { BadHeader, readHeader, type Header } from "../trace/header.js";
import { firstTime, Kind, Records, type Fault, type Record, type Sample } from "../trace/records.js";
import { Histogram } from "./histogram.js";
import { keyframeTime, readKeyframe } from "./keyframe.js";
import { Roster } from "./roster.js";

/** A frame in its place. */
export interface Entry {
  kind: typeof EVENTS | typeof KEYFRAME;
  /** Time of its first and of its last record; both that of the keyframe. */
  start: number;
  end: number;
  body: Uint8Array;
  /** A keyframe behind a gap: what went before does not lead to it. */
  afterGap: boolean;
}

export interface Ended {
  time: number;
  records: number;
  joined: number;
  completed: number;
  finished: boolean;
}

/** What was counted over all records, to be held against the end frame. */
export interface Totals {
  records: number;
  joins: number;
  completions: number;
  leaves: number;
  opened: number;
  /** Sent and received messages by id. */
  messages: Map<number, number>;
  announces: number;
  replies: number;
  lost: number;
  content: number;
}

export interface Mark<T> {
  time: number;
  what: T;
}

/** Stands in the queue for frames that were never sent; no frame of a file has this kind. */
const GAP = -1;

/** The format's own bounds. */
const MOST_NODES = 1 << 24;
const MOST_SLOTS = 1 << 16;

export class Recording {
  header: Header | null = null;
  trouble: Trouble | null = null;
  readonly entries: Entry[] = [];
  readonly keyframes: number[] = [];
  readonly gaps: { from: number; to: number }[] = [];
  readonly samples: Mark<Sample>[] = [];
  readonly faults: Mark<Fault>[] = [];
  readonly completions: Mark<number>[] = [];
  readonly roster = new Roster();
  readonly activity = new Histogram();
  readonly totals: Totals = {
    records: 0, joins: 0, completions: 0, leaves: 0, opened: 0, messages: new Map(), announces: 0, replies: 0, lost: 0,
    content: 0,
  };
  ended: Ended | null = null;
  /** Nothing more will come. */
  closed = false;
  bytes = 0;
  /** The last moment that is worked through. */
  end = 0;
  /** Grows with everything that is worked through, so that views know when to look again. */
  revision = 0;
  private readonly frames = new Frames();
  private readonly queue: Frame[] = [];
  private gapNoted = false;

  /** Bytes of the file, in any portions. */
  feed(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (this.trouble) return;
    for (const frame of this.frames.push(bytes)) this.queue.push(frame);
    if (this.frames.trouble) this.trouble ??= this.frames.trouble;
  }

  /** What comes next does not follow from what came: the page was too slow, and events were left out. */
  noteGap(): void {
    // In the queue, since frames from before the gap may still wait there.
    this.queue.push({ kind: GAP, body: new Uint8Array(0) });
  }

  close(): void {
    this.closed = true;
  }

  /** All that came is worked through. */
  get idle(): boolean {
    return this.queue.length === 0;
  }

  /** Whether the file stopped in the middle of a frame or before its end frame. */
  get cutShort(): boolean {
    return this.closed && this.idle && this.header !== null && this.ended === null;
  }

  /** Bytes behind the last whole frame. */
  get left(): number {
    return this.frames.waiting;
  }

  /** Works for about that long; true if there is more to do. */
  work(milliseconds: number, now: () => number = () => performance.now()): boolean {
    const until = now() + milliseconds;
    let done = 0;
    while (done < this.queue.length) {
      const frame = this.queue[done];
      done += 1;
      if (!this.take(frame)) {
        done = this.queue.length;
        break;
      }
      if (now() >= until) break;
    }
    this.queue.splice(0, done);
    if (done > 0) this.revision += 1;
    return this.queue.length > 0;
  }

  /** False where the rest is not to be read. */
  private take(frame: Frame): boolean {
    try {
      this.index(frame);
      return true;
    } catch (error) {
      if (!(error instanceof Malformed || error instanceof BadHeader)) throw error;
      this.trouble = { kind: "broken", offset: this.frames.read, message: error.message };
      return false;
    }
  }

  private index(frame: Frame): void {
    if (frame.kind === GAP) {
      this.gapNoted = true;
      return;
    }
    if (frame.kind === HEADER) {
      if (this.header === null) this.header = readHeader(frame.body);
      return;
    }
    if (this.header === null) throw new BadHeader("the trace does not begin with a header");
    if (frame.kind === EVENTS) this.indexEvents(frame.body);
    else if (frame.kind === KEYFRAME) this.indexKeyframe(frame.body);
    else if (frame.kind === END) this.readEnd(frame.body);
  }

  private indexKeyframe(body: Uint8Array): void {
    const time = keyframeTime(body);
    const afterGap = this.gapNoted;
    if (afterGap) {
      this.gaps.push({ from: this.end, to: time });
      this.gapNoted = false;
    }
    if (this.header && (afterGap || this.entries.length === 0)) {
      for (const node of readKeyframe(body, this.header).nodes) if (node) this.roster.add(node.id, node.group, node.level);
    }
    this.keyframes.push(time);
    this.entries.push({ kind: KEYFRAME, start: time, end: time, body, afterGap });
    this.end = Math.max(this.end, time);
  }

  private indexEvents(body: Uint8Array): void {
    const records = new Records(body);
    const entry: Entry = { kind: EVENTS, start: firstTime(body), end: firstTime(body), body, afterGap: false };
    this.entries.push(entry);
    let good = records.at;
    try {
      while (records.next()) {
        this.count(records.record);
        entry.end = records.record.time;
        good = records.at;
      }
    } finally {
      // A frame counts as far as it can be read.
      entry.body = body.subarray(0, good);
      this.end = Math.max(this.end, entry.end);
    }
  }

  private count(record: Record): void {
    const { totals } = this;
    if (record.node >= MOST_NODES) throw new Malformed(`a record speaks of node ${record.node}`);
    if (record.conn >= MOST_SLOTS) throw new Malformed(`a record speaks of link ${record.conn}`);
    totals.records += 1;
    this.activity.add(record.time);
    switch (record.kind) {
      case Kind.Sent:
      case Kind.Received:
        totals.messages.set(record.message, (totals.messages.get(record.message) ?? 0) + 1);
        if (record.kind === Kind.Received && record.message === 7) totals.content += record.length;
        return;
      case Kind.Join:
        totals.joins += 1;
        if (record.join) this.roster.add(record.node, record.join.group, record.join.level);
        return;
      case Kind.Leave: totals.leaves += 1; return;
      case Kind.Opened: totals.opened += 1; return;
      case Kind.Completed:
        totals.completions += 1;
        this.completions.push({ time: record.time, what: record.node });
        return;
      case Kind.Announce: totals.announces += 1; return;
      case Kind.Reply: totals.replies += 1; return;
      case Kind.Fault:
        if (record.fault) this.faults.push({ time: record.time, what: record.fault });
        return;
      case Kind.Sample:
        if (record.sample) this.samples.push({ time: record.time, what: record.sample });
        return;
      case Kind.Lost: totals.lost += record.length; return;
      default:
    }
  }

  private readEnd(body: Uint8Array): void {
    const cursor = new Cursor(body);
    this.ended = {
      time: cursor.varint(), records: cursor.varint(), joined: cursor.varint(), completed: cursor.varint(),
      finished: cursor.varint() === 1,
    };
    this.end = Math.max(this.end, this.ended.time);
  }
}
