// Whom the page shows one by one. Of a large swarm those that are recorded well; the rest are counted by group, and said so.
import type { Recording } from "../swarm/recording.js";
import { count } from "../ui/numbers.js";
import type { Capacity } from "./layout.js";

/** More dots than this are no longer told apart on a screen. */
export const MOST_SHOWN = 25_000;
/** Of those recorded in pieces or more at most so many, when not all can be shown. */
const SAMPLE = 3000;

export interface Shown {
  capacities: Capacity[];
  nodes: { id: number; group: number; slot: number }[];
}

const isAll = (recording: Recording): boolean =>
  Math.max(recording.header?.nodes ?? 0, recording.roster.placeOf.size) <= MOST_SHOWN;

/** Changes when others are to be shown. */
export const shownRevision = (recording: Recording): number =>
  isAll(recording) ? recording.roster.revision : -1 - recording.roster.detailedCount;

export function shownNodes(recording: Recording): Shown {
  const { header, roster } = recording;
  const groups = header?.groups ?? [];
  const shown: Shown = { capacities: [], nodes: [] };
  const all = isAll(recording);
  const most = Math.max(groups.length, roster.groups.length);
  for (let group = 0; group < most; group += 1) {
    const ids = roster.groups[group] ?? [];
    const seeds = groups[group]?.role === "seed";
    const kept = all ? ids : (roster.detailed[group] ?? []).slice(0, SAMPLE);
    kept.forEach((id, slot) => shown.nodes.push({ id, group, slot }));
    // Room is kept for all who will come, as far as the header says; a real swarm grows by steps, so that it rarely moves.
    const expected = all ? (groups[group]?.count ?? 0) : 0;
    const room = header?.world === "real" && kept.length > expected ? grown(kept.length) : kept.length;
    shown.capacities.push({ group, count: Math.max(expected, room), seeds });
  }
  return shown;
}

function grown(count: number): number {
  let room = 6;
  while (room < count) room = Math.ceil(room * 1.5);
  return room;
}

/** What the page says where it does not show everybody. */
export function sampled(recording: Recording): string | null {
  const { header, roster } = recording;
  if (!header) return null;
  const nodes = Math.max(header.nodes, roster.placeOf.size);
  const { messages, pieces, life } = header.recorded;
  const whole = messages + pieces;
  const parts: string[] = [];
  if (!isAll(recording)) {
    parts.push(`Of ${count(nodes)} peers, ${count(shownNodes(recording).nodes.length)} are drawn one by one; the others are in the counts by group.`);
  }
  if (whole > 0 && life + pieces > 0) {
    parts.push(`${count(messages)} of ${count(nodes)} peers are recorded with every message: flows and connections are theirs.`);
    if (pieces > 0) parts.push(`Of ${count(pieces)} the trace has the pieces.`);
    if (life > 0) parts.push(`Of ${count(life)} it has only when they came, completed and left.`);
  }
  return parts.length > 0 ? parts.join(" ") : null;
}
