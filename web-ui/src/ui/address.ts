// The part of the address behind #: time, view, selection and order, so that a link shows what its sender saw.

export const VIEWS = ["swarm", "matrix", "lines", "inspector", "all"] as const;
export type View = (typeof VIEWS)[number];

export const SORTS = ["progress", "group", "rate", "join", "number"] as const;
export type Sort = (typeof SORTS)[number];

export interface Place {
  /** Microseconds; null where the link does not say. */
  time: number | null;
  view: View;
  peer: number | null;
  conn: number | null;
  /** Place of a message in the list of its connection or peer. */
  message: number | null;
  piece: number | null;
  sort: Sort;
}

export const HOME: Place = { time: null, view: "swarm", peer: null, conn: null, message: null, piece: null, sort: "progress" };

export function writePlace(place: Place): string {
  const parts: string[] = [];
  if (place.time !== null) parts.push(`t=${(place.time / 1e6).toFixed(6).replace(/\.?0+$/, "")}`);
  parts.push(`view=${place.view}`);
  for (const name of ["peer", "conn", "message", "piece"] as const) {
    if (place[name] !== null) parts.push(`${name}=${place[name]}`);
  }
  if (place.sort !== "progress") parts.push(`sort=${place.sort}`);
  return `#${parts.join("&")}`;
}

/** A selection as a lesson writes it: `peer:3 conn:1`. */
export function readSelection(text: string): Pick<Place, "peer" | "conn" | "message" | "piece"> {
  const { peer, conn, message, piece } = readPlace(`#${text.trim().replaceAll(":", "=").replaceAll(/[\s,;]+/g, "&")}`);
  return { peer, conn, message, piece };
}

/** What is not understood is left out: a link never makes the page fail. */
export function readPlace(hash: string): Place {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const number = (name: string): number | null => {
    const text = parts.get(name);
    return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
  };
  const time = parts.get("t");
  const view = parts.get("view") as View;
  const sort = parts.get("sort") as Sort;
  return {
    time: time !== null && /^\d+(\.\d+)?$/.test(time) ? Math.round(Number(time) * 1e6) : null,
    view: VIEWS.includes(view) ? view : HOME.view,
    peer: number("peer"), conn: number("conn"), message: number("message"), piece: number("piece"),
    sort: SORTS.includes(sort) ? sort : HOME.sort,
  };
}
