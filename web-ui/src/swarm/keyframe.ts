// A keyframe as a swarm: the state that all records before it make.
import { Cursor, Malformed } from "../trace/cursor.js";
import type { Header } from "../trace/header.js";
import { readAddress, readPieces, readSample } from "../trace/records.js";
import { newLink, type Link, type Node } from "./model.js";
import * as bits from "./pieces.js";
import { readWhy, Swarm } from "./state.js";

/** The format's own bounds. */
const MOST_NODES = 1 << 24;
const MOST_SLOTS = 1 << 16;

export const keyframeTime = (body: Uint8Array): number => new Cursor(body).varint();

export function readKeyframe(body: Uint8Array, header: Header): Swarm {
  const cursor = new Cursor(body);
  const swarm = new Swarm(header);
  swarm.time = cursor.varint();
  const count = cursor.varint();
  if (count > body.length) throw new Malformed("a keyframe claims more nodes than it has bytes");
  const nodes: Node[] = [];
  for (let index = 0; index < count; index += 1) nodes.push(readNode(cursor, swarm.pieceCount));
  for (const node of nodes) swarm.place(node);
  if (cursor.byte() === 1) swarm.sample = readSample(cursor);
  return swarm;
}

function readNode(cursor: Cursor, pieceCount: number): Node {
  const id = cursor.varint();
  if (id >= MOST_NODES) throw new Malformed(`a keyframe speaks of node ${id}`);
  const group = cursor.varint();
  const level = cursor.byte();
  const status = cursor.byte();
  const joinedAt = cursor.varint();
  const completedAt = cursor.varint();
  const leftAt = cursor.varint();
  const peerId = cursor.take(20);
  const reserved = cursor.take(8);
  const address = readAddress(cursor);
  const up = cursor.varint();
  const down = cursor.varint();
  const have = bits.fromPieces(readPieces(cursor), pieceCount);
  const node: Node = {
    id, group, level, present: (status & 1) !== 0, complete: (status & 2) !== 0, saidComplete: (status & 2) !== 0, joinedAt,
    completedAt: completedAt === 0 ? null : completedAt - 1, leftAt: leftAt === 0 ? null : leftAt - 1, leftWhy: 0,
    peerId, reserved, address, up, down, have, haveCount: bits.countOf(have), sent: cursor.varint(), received: cursor.varint(),
    recentOut: 0, recentIn: 0, endgame: false, links: [],
  };
  const count = cursor.varint();
  for (let index = 0; index < count; index += 1) {
    const link = readLink(cursor, id);
    node.links[link.conn] = link;
  }
  return node;
}


function readLink(cursor: Cursor, node: number): Link {
  const conn = cursor.varint();
  if (conn >= MOST_SLOTS) throw new Malformed(`a link claims the slot ${conn}`);
  const link = newLink(node, conn, cursor.varint());
  link.outgoing = cursor.byte() === 1;
  link.reserved = cursor.take(8);
  link.openedAt = cursor.varint();
  const flags = cursor.byte();
  link.weChoke = (flags & 1) !== 0;
  link.weInterested = (flags & 2) !== 0;
  link.remoteChokes = (flags & 4) !== 0;
  link.remoteInterested = (flags & 8) !== 0;
  link.snubbed = (flags & 16) !== 0;
  Object.assign(link, readWhy(cursor.byte()));
  link.sent = cursor.varint();
  link.received = cursor.varint();
  const outstanding = cursor.varint();
  for (let index = 0; index < outstanding * 3; index += 1) link.requests.push(cursor.varint());
  return link;
}
