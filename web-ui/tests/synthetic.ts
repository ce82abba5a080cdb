// A made-up swarm, written as a trace: for tests and benches that must not wait for the simulator. It keeps the grammar of
// the protocol (nobody sends to whom it chokes), not its dynamics.
import type { Sample } from "../src/trace/records.js";
import { Kind, Records } from "../src/trace/records.js";
import { readHeader } from "../src/trace/header.js";
import { Level } from "../src/swarm/model.js";
import { has } from "../src/swarm/pieces.js";
import { Swarm } from "../src/swarm/state.js";
import { endFrame, Events, headerFrame, keyframe, opening } from "./encoder.js";

export interface Plan {
  peers: number;
  pieces: number;
  /** Nodes recorded in full, from the first on; the others come and go only. */
  full: number;
  seconds: number;
  connections: number;
  /** Blocks that a node gives away in a second. */
  blocksPerSecond: number;
}

const BLOCK = 16384;
const TICK_US = 100_000;
const FAST = Uint8Array.of(0, 0, 0, 0, 0, 0x10, 0, 0x04);
const GROUPS = ["origin", "fibre", "cable", "free-riders"];

function groupOf(node: number): number {
  if (node === 0) return 0;
  if (node % 10 === 9) return 3;
  return node % 2 === 1 ? 1 : 2;
}

class Random {
  constructor(private state: number) {}

  below(limit: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 4294967296) * limit);
  }
}

export interface Written {
  bytes: Uint8Array;
  records: number;
  joined: number;
  completed: number;
  /** The state at the end, as the writer's own fold has it. */
  swarm: Swarm;
}

export function headerOf(plan: Plan): object {
  const counts = [0, 0, 0, 0];
  for (let node = 0; node < plan.peers; node += 1) counts[groupOf(node)] += 1;
  return {
    program: "swarmlab 0.1.0", world: "simulated", name: "synthetic", seed: 1,
    content: {
      info_hash: "8bb8b3a4b6b0a2d5c9e1f00d1234567890abcdef", name: "synthetic.bin", length: plan.pieces * BLOCK * 2, piece_length: BLOCK * 2,
      piece_count: plan.pieces, block_length: BLOCK,
    },
    groups: GROUPS.map((name, index) => ({
      name, role: index === 0 ? "seed" : "leecher", behaviour: index === 3 ? "free-rider" : "honest", preset: "swarmlab",
      count: counts[index], up: index === 3 ? 0 : 250000, down: 1000000,
    })),
    nodes: plan.peers, recorded: { messages: plan.full, pieces: 0, life: plan.peers - plan.full },
    sample_us: 1_000_000, latency_us: 20_000, scenario: null, torrent: null,
  };
}

export function synthetic(plan: Plan): Written {
  const random = new Random(7);
  const headerBytes = headerFrame(headerOf(plan));
  const swarm = new Swarm(readHeader(headerBytes.subarray(9)));
  const parts: Uint8Array[] = [opening(), headerBytes];
  let records = 0;
  let joined = 0;
  let completed = 0;
  let announces = 0;
  let events = new Events(0);

  /** Ends the frame under way, folds it into the state, and begins another. */
  const flush = (time: number): void => {
    const framed = events.frame();
    parts.push(framed);
    records += events.records;
    const reader = new Records(framed.subarray(9));
    while (reader.next()) swarm.apply(reader.record);
    events = new Events(Math.max(time, events.now));
  };

  const levelOf = (node: number): number => (node < plan.full ? Level.Messages : Level.Life);
  const peersOf: number[][] = Array.from({ length: plan.peers }, () => []);
  const lifeEnds = Array.from({ length: plan.peers }, () => 5 + random.below(plan.seconds * 2));
  const links: { one: number; other: number; oneConn: number; otherConn: number }[] = [];
  const conns = new Array<number>(plan.peers).fill(0);

  const join = (at: number, node: number): void => {
    const peerId = new TextEncoder().encode(`-SL0100-${String(node).padStart(12, "0")}`);
    const ip = Uint8Array.of(10, node >> 16, (node >> 8) & 255, node & 255);
    events.join(at, node, {
      group: groupOf(node), level: levelOf(node), peerId, reserved: FAST, ip, port: 6881, up: groupOf(node) === 3 ? 0 : 250000, down: 1000000,
      pieces: node === 0 ? "all" : "none",
    });
    joined += 1;
    announces += 1;
    const query = `GET /announce?info_hash=%8B%B8%B3%A4&peer_id=${new TextDecoder().decode(peerId)}&port=6881&uploaded=0&downloaded=0&left=0&compact=1&event=started HTTP/1.1\r\nHost: 10.0.0.1:6969\r\nUser-Agent: swarmlab/0.1.0\r\n\r\n`;
    if (levelOf(node) !== Level.Messages) return;
    events.announce(at, node, 1, [0, 0, node === 0 ? 0 : plan.pieces * BLOCK * 2], new TextEncoder().encode(query));
    events.reply(at + 20, node, 0, 1800, 1, new TextEncoder().encode("d8:completei1e10:incompletei0e8:intervali1800e5:peers6:\x0a\x01\x02\x03\x1a\x61e"));
  };

  const connect = (at: number, node: number): void => {
    if (node >= plan.full) return;
    for (let tries = 0; tries < plan.connections && node > 0; tries += 1) {
      const other = random.below(3) === 0 ? 0 : random.below(Math.min(node, plan.full));
      if (other === node || peersOf[node].includes(other) || conns[other] > plan.connections * 2) continue;
      peersOf[node].push(other);
      peersOf[other].push(node);
      const link = { one: node, other, oneConn: conns[node]++, otherConn: conns[other]++ };
      links.push(link);
      events.plain(at, Kind.Dial, [node, other]);
      events.opened(at + 10, node, link.oneConn, other, true, FAST);
      events.opened(at + 10, other, link.otherConn, node, false, FAST);
      for (const [from, conn] of [[node, link.oneConn], [other, link.otherConn]]) {
        const holder = swarm.nodes[from];
        if (from === 0) events.message(at + 10, true, from, conn, 14);
        else if (!holder || holder.haveCount === 0) events.message(at + 10, true, from, conn, 15);
        else events.message(at + 10, true, from, conn, 5, holder.have.slice());
      }
      events.message(at + 30, true, node, link.oneConn, 2);
      events.message(at + 30, false, other, link.otherConn, 2);
    }
  };

  const sample = (at: number): void => {
    const value: Sample = { rarest: 0, announces, uplinks: swarm.present * 250000, groups: GROUPS.map(() => ({ leechers: 0, seeds: 0, completed: 0, sent: 0, received: 0 })) };
    value.rarest = swarm.availability.reduce((least, count) => Math.min(least, count), plan.peers);
    for (const node of swarm.nodes) {
      if (!node) continue;
      const group = value.groups[node.group];
      if (node.present) group[node.complete ? "seeds" : "leechers"] += 1;
      if (node.completedAt !== null) group.completed += 1;
      group.sent += node.sent;
      group.received += node.received;
    }
    events.sample(at, value);
  };

  const ticks = (plan.seconds * 1_000_000) / TICK_US;
  const perTick = Math.ceil(plan.peers / (ticks / 4));
  const half = new Map<number, number>();
  let next = 0;
  for (let tick = 0; tick < ticks; tick += 1) {
    const at = tick * TICK_US;
    for (let count = 0; count < perTick && next < plan.peers; count += 1, next += 1) {
      join(at, next);
      flush(at + 100);
      connect(at + 200, next);
      flush(at + 300);
    }
    for (let node = plan.full; node < next; node += 1) {
      if (lifeEnds[node] * 10 === tick && swarm.nodes[node]?.present) {
        events.plain(at + 400, Kind.Completed, [node]);
        completed += 1;
      }
    }
    // Each node serves a few links in turn; who is served is unchoked first.
    const budget = plan.blocksPerSecond / 10;
    for (const link of links) {
      const both = [[link.one, link.oneConn, link.other, link.otherConn], [link.other, link.otherConn, link.one, link.oneConn]];
      for (const [from, fromConn, to, toConn] of both) {
        const giver = swarm.nodes[from];
        const taker = swarm.nodes[to];
        if (!giver || !taker || taker.complete || giver.haveCount === 0 || groupOf(from) === 3) continue;
        const end = swarm.link(from, fromConn);
        const other = swarm.link(to, toConn);
        if (!end || !other) continue;
        if (tick % 50 === from % 50) {
          const choke = random.below(3) > 0;
          if (choke === end.weChoke) continue;
          const interesting = at + 500;
          events.plain(interesting, choke ? Kind.Choked : Kind.Unchoked, [from, fromConn], choke ? 0 : random.below(2));
          events.message(interesting, true, from, fromConn, choke ? 0 : 1);
          events.message(interesting, false, to, toConn, choke ? 0 : 1);
          continue;
        }
        if (end.weChoke || random.below(100) >= budget * 25) continue;
        const key = to * plan.pieces;
        let piece = -1;
        for (let tries = 0; tries < 8 && piece < 0; tries += 1) {
          const candidate = random.below(plan.pieces);
          if (has(giver.have, candidate) && !has(taker.have, candidate)) piece = candidate;
        }
        if (piece < 0) continue;
        const begin = half.get(key + piece) === 1 ? BLOCK : 0;
        const when = at + 600;
        if (begin === 0) events.plain(when, Kind.Picked, [to, toConn, piece], 1, [swarm.availability[piece]]);
        events.message(when, true, to, toConn, 6, [piece, begin, BLOCK]);
        events.message(when, false, from, fromConn, 6, [piece, begin, BLOCK]);
        events.message(when, true, from, fromConn, 7, [piece, begin, BLOCK]);
        if (random.below(12) === 0) continue;
        events.message(when, false, to, toConn, 7, [piece, begin, BLOCK]);
        if (begin === 0) half.set(key + piece, 1);
        else if (half.get(key + piece) === 1) {
          half.set(key + piece, 2);
          events.plain(when, Kind.Verified, [to, piece], 1);
          events.message(when, true, to, toConn, 4, [piece]);
          if (taker.haveCount + 1 >= plan.pieces) {
            events.plain(when, Kind.Completed, [to]);
            completed += 1;
          }
          flush(when);
        }
      }
    }
    flush(at + 700);
    if (tick % 10 === 9) {
      sample(at + 700);
      flush(at + 700);
    }
    if (tick % 50 === 49) parts.push(keyframe(swarm));
  }
  const time = plan.seconds * 1_000_000;
  flush(time);
  parts.push(endFrame(time, records, joined, completed, true));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return { bytes, records, joined, completed, swarm };
}
