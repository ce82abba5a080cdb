// Looks for records in a recording: those of a link or a peer, and the next or the last before a moment.
import { EVENTS } from "../trace/frames.js";
import { Kind, Records, type Record } from "../trace/records.js";
import { firstAfter, type Player } from "./player.js";
import type { Recording } from "./recording.js";

/** Which records: all, those of a node, or those of one of its links. */
export interface Filter {
  node?: number;
  conn?: number;
}

/** Of a peer also that others dial it or are connected to it; of a link what its own end tells. */
function matches(record: Record, filter: Filter): boolean {
  if (filter.node === undefined) return true;
  if (filter.conn !== undefined) return record.node === filter.node && record.conn === filter.conn;
  return record.node === filter.node || (record.remote === filter.node && isDial(record));
}

const isDial = (record: Record): boolean => record.kind === Kind.Dial || record.kind === Kind.Opened;

/** Samples and what could not be kept are nobody's steps. */
const isStep = (record: Record): boolean => record.kind !== Kind.Sample && record.kind !== Kind.Lost;

/** A copy that outlives the reader's next step. */
export const copyOf = (record: Record): Record => ({ ...record });

/** A list is cut here: more than anybody scrolls through. */
export const MOST_LISTED = 50_000;

export interface Listing {
  records: Record[];
  /** There are more than are listed. */
  cut: boolean;
  done: boolean;
}

/** Collects records between two times, in slices: each `next` works for about `milliseconds`. */
export function* collect(recording: Recording, filter: Filter, from: number, to: number, milliseconds = 6): Generator<Listing> {
  const listing: Listing = { records: [], cut: false, done: false };
  let until = performance.now() + milliseconds;
  for (const entry of [...recording.entries]) {
    if (entry.kind !== EVENTS || entry.end < from || entry.start > to) continue;
    const records = new Records(entry.body);
    while (records.next()) {
      const { record } = records;
      if (record.time < from || record.time > to || !matches(record, filter)) continue;
      if (listing.records.length >= MOST_LISTED) {
        listing.cut = true;
        listing.done = true;
        yield listing;
        return;
      }
      listing.records.push(copyOf(record));
    }
    if (performance.now() >= until) {
      yield listing;
      until = performance.now() + milliseconds;
    }
  }
  listing.done = true;
  yield listing;
}

/** The time of the first record after a moment, or null. */
export function nextTime(recording: Recording, time: number, filter: Filter): number | null {
  // The frame that holds the moment begins at or before it.
  for (let index = Math.max(0, firstAfter(recording, time) - 1); index < recording.entries.length; index += 1) {
    const entry = recording.entries[index];
    if (entry.kind !== EVENTS || entry.end <= time) continue;
    const records = new Records(entry.body);
    while (records.next()) {
      const { record } = records;
      if (record.time > time && isStep(record) && matches(record, filter)) return record.time;
    }
  }
  return null;
}

/** The time of the last record before a moment, or null. */
export function lastTime(recording: Recording, time: number, filter: Filter): number | null {
  for (let index = firstAfter(recording, time) - 1; index >= 0; index -= 1) {
    const entry = recording.entries[index];
    if (entry.kind !== EVENTS || entry.start >= time) continue;
    let found: number | null = null;
    const records = new Records(entry.body);
    while (records.next()) {
      const { record } = records;
      if (record.time >= time) break;
      if (isStep(record) && matches(record, filter)) found = record.time;
    }
    if (found !== null) return found;
  }
  return null;
}

/** The last few records up to a moment, newest first. */
export function latest(recording: Recording, time: number, filter: Filter, most: number): Record[] {
  const found: Record[] = [];
  for (let index = firstAfter(recording, time) - 1; index >= 0 && found.length < most; index -= 1) {
    const entry = recording.entries[index];
    if (entry.kind !== EVENTS) continue;
    const here: Record[] = [];
    const records = new Records(entry.body);
    while (records.next()) {
      const { record } = records;
      if (record.time > time) break;
      if (!isStep(record) || !matches(record, filter)) continue;
      here.push(copyOf(record));
      if (here.length > most) here.shift();
    }
    found.push(...here.reverse());
  }
  return found.slice(0, most);
}

/** How the other end of a record's link is called, as the swarm stands; links that are gone are named by their number. */
export function remoteOf(player: Player, record: Record): number | null {
  return player.swarm.link(record.node, record.conn)?.remote ?? null;
}
