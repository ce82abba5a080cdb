// What is known of a node and of a link at one moment: plain data, changed by `state.ts` alone.
import type { Address } from "../trace/records.js";

/** How much of a node is recorded. */
export const enum Level {
  Seen = 0,
  Life = 1,
  Pieces = 2,
  Messages = 3,
}

/** `why` of a link whose engine gave no word yet. */
export const NO_WORD = 255;

/** One end of a connection, as the node that has it sees it. */
export interface Link {
  node: number;
  conn: number;
  remote: number;
  outgoing: boolean;
  /** The 8 bytes the remote sent in its handshake. */
  reserved: Uint8Array;
  openedAt: number;
  weChoke: boolean;
  weInterested: boolean;
  remoteChokes: boolean;
  remoteInterested: boolean;
  snubbed: boolean;
  /** Reason of the last decision to choke or unchoke the remote; `NO_WORD` if there was none. */
  why: number;
  /** Whether that decision was a choke. */
  whyChoke: boolean;
  /** Bytes of content. */
  sent: number;
  received: number;
  /** Blocks asked for and not yet come: piece, begin, length, one after the other. */
  requests: number[];
  /** Bytes of content in the last two seconds. */
  recentOut: number;
  recentIn: number;
}

export interface Node {
  id: number;
  group: number;
  level: number;
  present: boolean;
  /** It has all pieces, or said it completed since it joined. */
  complete: boolean;
  saidComplete: boolean;
  joinedAt: number;
  completedAt: number | null;
  leftAt: number | null;
  leftWhy: number;
  peerId: Uint8Array;
  /** The 8 bytes of its own handshake. */
  reserved: Uint8Array;
  address: Address;
  /** Bytes per second; 0 where unlimited or unknown. */
  up: number;
  down: number;
  have: Uint8Array;
  haveCount: number;
  sent: number;
  received: number;
  recentOut: number;
  recentIn: number;
  endgame: boolean;
  /** By `conn`; closed ones leave a hole. */
  links: (Link | undefined)[];
}

export function newLink(node: number, conn: number, remote: number): Link {
  return {
    node, conn, remote, outgoing: false, reserved: new Uint8Array(8), openedAt: 0, weChoke: true, weInterested: false,
    remoteChokes: true, remoteInterested: false, snubbed: false, why: NO_WORD, whyChoke: false, sent: 0, received: 0,
    requests: [], recentOut: 0, recentIn: 0,
  };
}

/** The open links of a node. */
export function openLinks(node: Node): Link[] {
  return node.links.filter((link): link is Link => link !== undefined);
}

/** From 0 to 1. A node of which no pieces are recorded has nothing until it completes. */
export function progress(node: Node, pieceCount: number): number {
  if (node.complete) return 1;
  return pieceCount === 0 ? 0 : node.haveCount / pieceCount;
}

/** Whether a handshake says its sender speaks the fast extension (BEP 6). */
export const speaksFast = (reserved: Uint8Array): boolean => (reserved[7] & 0x04) !== 0;
