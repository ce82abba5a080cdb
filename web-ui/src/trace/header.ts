// The header of a trace: what was run, on what content, by which groups. Checked once, then trusted.

export interface Content {
  info_hash: string;
  name: string;
  length: number;
  piece_length: number;
  piece_count: number;
  block_length: number;
}

export interface Group {
  name: string;
  role: string;
  behaviour: string;
  preset: string;
  count: number;
  /** Bytes per second; 0 where unlimited or unknown. */
  up: number;
  down: number;
}

export interface Header {
  program: string;
  world: "simulated" | "real";
  name: string;
  seed: number | null;
  content: Content;
  groups: Group[];
  nodes: number;
  recorded: { messages: number; pieces: number; life: number };
  sample_us: number;
  latency_us: number | null;
  scenario: string | null;
  /** The .torrent in base64. */
  torrent: string | null;
}

type Json = Record<string, unknown>;

export class BadHeader extends Error {}

export function readHeader(body: Uint8Array): Header {
  let json: Json;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as Json;
  } catch {
    throw new BadHeader("the header of the trace is not JSON");
  }
  if (json.schema !== "trace/1") throw new BadHeader(`the header says ${String(json.schema)}, and this page reads trace/1`);
  // A tracker alone knows no content.
  const content = (json.content ?? {}) as Json;
  const recorded = (json.recorded ?? {}) as Json;
  const header: Header = {
    program: text(json.program),
    world: json.world === "real" ? "real" : "simulated",
    name: text(json.name),
    seed: typeof json.seed === "number" ? json.seed : null,
    content: {
      info_hash: text(content.info_hash),
      name: text(content.name),
      length: count(content.length),
      piece_length: count(content.piece_length),
      piece_count: count(content.piece_count),
      block_length: count(content.block_length) || 16384,
    },
    groups: (Array.isArray(json.groups) ? (json.groups as Json[]) : []).map(group),
    nodes: count(json.nodes),
    recorded: { messages: count(recorded.messages), pieces: count(recorded.pieces), life: count(recorded.life) },
    sample_us: count(json.sample_us) || 1_000_000,
    latency_us: typeof json.latency_us === "number" ? json.latency_us : null,
    scenario: typeof json.scenario === "string" ? json.scenario : null,
    torrent: typeof json.torrent === "string" ? json.torrent : null,
  };
  // A bitfield per peer is made of this number: what a torrent of 64 GiB in pieces of 16 KiB has is the bound.
  if (header.content.piece_count > 4_000_000) throw new BadHeader("the header names more than 4,000,000 pieces");
  return header;
}

function group(json: Json): Group {
  return {
    name: text(json.name),
    role: text(json.role),
    behaviour: text(json.behaviour) || "honest",
    preset: text(json.preset),
    count: count(json.count),
    up: count(json.up),
    down: count(json.down),
  };
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const count = (value: unknown): number => (typeof value === "number" && value >= 0 ? value : 0);
