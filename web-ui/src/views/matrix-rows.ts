// Which peers are rows of the matrix, in which order; what each cell shows. Pure: views and tests call it alike.
import { Level, openLinks, progress, type Node } from "../swarm/model.js";
import { has } from "../swarm/pieces.js";
import type { Swarm } from "../swarm/state.js";
import type { Sort } from "../ui/address.js";

/** Present peers whose pieces are known. */
export function rowsOf(swarm: Swarm, sort: Sort, group: number | null): Node[] {
  const rows = swarm.nodes.filter((node): node is Node =>
    node !== undefined && node.present && node.level !== Level.Life && (group === null || node.group === group));
  const orders: { [sort in Sort]: (one: Node, other: Node) => number } = {
    progress: (one, other) => progress(other, swarm.pieceCount) - progress(one, swarm.pieceCount),
    group: (one, other) => one.group - other.group || progress(other, swarm.pieceCount) - progress(one, swarm.pieceCount),
    rate: (one, other) => other.recentIn + other.recentOut - one.recentIn - one.recentOut,
    join: (one, other) => one.joinedAt - other.joinedAt,
    number: () => 0,
  };
  const order = orders[sort];
  return rows.sort((one, other) => order(one, other) || one.id - other.id);
}

/** Pieces of which blocks are asked for and not yet come. */
export function inFlight(node: Node): Set<number> {
  const pieces = new Set<number>();
  for (const link of openLinks(node)) for (let at = 0; at < link.requests.length; at += 3) pieces.add(link.requests[at]);
  return pieces;
}

export interface Scarcity {
  least: number;
  most: number;
  /** How many pieces nobody here has. */
  nobody: number;
  /** The rarest stand out: few pieces are as rare. Where most are, to mark them says nothing. */
  marked: boolean;
}

export function scarcity(availability: Int32Array): Scarcity {
  let least = Infinity;
  let most = 0;
  let nobody = 0;
  for (const copies of availability) {
    if (copies < least) least = copies;
    if (copies > most) most = copies;
    if (copies === 0) nobody += 1;
  }
  let rarest = 0;
  for (const copies of availability) if (copies === least) rarest += 1;
  return { least: least === Infinity ? 0 : least, most, nobody, marked: least < most && rarest * 3 <= availability.length };
}

/** Pieces by column: one each while there is room, else several together. */
export interface Columns {
  count: number;
  pieces: number;
}

export const columnsFor = (pieces: number, pixels: number): Columns => ({ count: Math.max(1, Math.min(pieces, Math.floor(pixels))), pieces });

export function range(columns: Columns, column: number): [number, number] {
  return [Math.floor((column * columns.pieces) / columns.count), Math.max(Math.floor(((column + 1) * columns.pieces) / columns.count), Math.floor((column * columns.pieces) / columns.count) + 1)];
}

export interface Palette {
  panel: [number, number, number];
  ink: [number, number, number];
  alarm: [number, number, number];
  group(index: number): [number, number, number];
}

/** Fills one row of pixels: the colour of a group for what is had, ink for what is in flight, a tint where the rarest lacks. */
export function paintRow(pixels: Uint32Array, offset: number, node: Node, columns: Columns, rarest: Uint8Array, palette: Palette): void {
  const [hr, hg, hb] = palette.group(node.group);
  const [pr, pg, pb] = palette.panel;
  const [ar, ag, ab] = palette.alarm;
  const [ir, ig, ib] = palette.ink;
  const flying = node.complete ? new Set<number>() : inFlight(node);
  const full = pack(hr, hg, hb);
  const none = pack(pr, pg, pb);
  const wanted = pack(pr + (ar - pr) * 0.28, pg + (ag - pg) * 0.28, pb + (ab - pb) * 0.28);
  const flight = pack(ir, ig, ib);
  const single = columns.count === columns.pieces;
  for (let column = 0; column < columns.count; column += 1) {
    if (single) {
      const had = has(node.have, column);
      pixels[offset + column] = had ? full : flying.has(column) ? flight : rarest[column] ? wanted : none;
      continue;
    }
    const [from, to] = range(columns, column);
    let had = 0;
    let flies = false;
    let lacks = false;
    for (let piece = from; piece < to; piece += 1) {
      if (has(node.have, piece)) had += 1;
      else if (flying.has(piece)) flies = true;
      else if (rarest[piece]) lacks = true;
    }
    const share = had / (to - from);
    if (flies) pixels[offset + column] = flight;
    else if (share === 0) pixels[offset + column] = lacks ? wanted : none;
    else pixels[offset + column] = pack(pr + (hr - pr) * share, pg + (hg - pg) * share, pb + (hb - pb) * share);
  }
}

/** As ImageData keeps it: alpha, blue, green, red from the highest byte. */
export const pack = (red: number, green: number, blue: number): number =>
  (0xff000000 | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
