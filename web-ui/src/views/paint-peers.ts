// Draws peers in their places: rings of progress while there is room, then dots. A seed is a square, a leecher round.
import { progress, type Node } from "../swarm/model.js";
import type { Swarm } from "../swarm/state.js";
import { faded, groupColour, type Theme } from "../ui/theme.js";
import type { Spot } from "./layout.js";

/** Smaller than this a ring cannot be read, in CSS pixels. */
const RING = 4.5;
/** Smaller than this a number cannot be read. */
const NUMBER = 9;

export interface Placed {
  id: number;
  spot: Spot;
  group: number;
}

type Brush = CanvasRenderingContext2D;

export function paintPeers(brush: Brush, peers: readonly Placed[], swarm: Swarm, theme: Theme, dim: Set<number> | null): void {
  paintDots(brush, peers, swarm, theme);
  for (const peer of peers) {
    if (peer.spot.radius < RING) continue;
    const node = swarm.nodes[peer.id];
    brush.globalAlpha = dim && !dim.has(peer.id) ? 0.25 : 1;
    if (!node) paintAbsent(brush, peer.spot, theme, false);
    else if (!node.present) paintAbsent(brush, peer.spot, theme, true);
    else if (node.complete) paintSeed(brush, peer, theme);
    else paintRing(brush, peer, node, swarm.pieceCount, theme);
  }
  brush.globalAlpha = 1;
}

/** Smaller than this a dot is a square whatever it is. */
const ROUND = 2.6;

/**
 * Shades by progress, colour by colour. Dots are filled one by one: a single path of twenty thousand takes a hundred times as
 * long.
 */
function paintDots(brush: Brush, peers: readonly Placed[], swarm: Swarm, theme: Theme): void {
  const batches = new Map<number, Spot[]>();
  const ABSENT = -1;
  for (const peer of peers) {
    if (peer.spot.radius >= RING) continue;
    const node = swarm.nodes[peer.id];
    const shade = node?.complete ? 5 : Math.floor((node ? progress(node, swarm.pieceCount) : 0) * 4.999);
    const key = node?.present ? peer.group * 8 + shade : ABSENT;
    const batch = batches.get(key);
    if (batch) batch.push(peer.spot);
    else batches.set(key, [peer.spot]);
  }
  for (const [key, spots] of batches) {
    const shade = key & 7;
    brush.fillStyle = key === ABSENT ? theme.line : faded(groupColour(theme, key >> 3), [0.28, 0.42, 0.56, 0.7, 0.85, 1][shade]);
    for (const { x, y, radius } of spots) {
      const size = key === ABSENT ? radius * 0.5 : radius;
      if (shade === 5 || radius < ROUND) {
        brush.fillRect(x - size, y - size, 2 * size, 2 * size);
        continue;
      }
      brush.beginPath();
      brush.arc(x, y, size, 0, 2 * Math.PI);
      brush.fill();
    }
  }
}

function paintAbsent(brush: Brush, { x, y, radius }: Spot, theme: Theme, left: boolean): void {
  brush.beginPath();
  brush.arc(x, y, left ? radius * 0.45 : Math.max(1, radius * 0.16), 0, 2 * Math.PI);
  brush.lineWidth = 1;
  if (left) {
    brush.strokeStyle = theme.dim;
    brush.setLineDash([2, 3]);
    brush.stroke();
    brush.setLineDash([]);
  } else {
    brush.fillStyle = theme.line;
    brush.fill();
  }
}

function paintSeed(brush: Brush, { id, spot, group }: Placed, theme: Theme): void {
  const { x, y, radius } = spot;
  const half = radius * 0.86;
  const colour = groupColour(theme, group);
  brush.beginPath();
  brush.roundRect(x - half, y - half, 2 * half, 2 * half, radius * 0.28);
  brush.fillStyle = colour;
  brush.fill();
  brush.lineWidth = Math.max(1, radius * 0.09);
  brush.strokeStyle = theme.panel;
  brush.beginPath();
  const inset = half * 0.8;
  brush.roundRect(x - inset, y - inset, 2 * inset, 2 * inset, radius * 0.18);
  brush.stroke();
  label(brush, id, spot, theme.dark ? theme.ground : "#ffffff");
}

function paintRing(brush: Brush, { id, spot, group }: Placed, node: Node, pieceCount: number, theme: Theme): void {
  const { x, y, radius } = spot;
  const width = Math.max(2, radius * 0.26);
  const at = radius - width / 2;
  const colour = groupColour(theme, group);
  brush.beginPath();
  brush.arc(x, y, radius, 0, 2 * Math.PI);
  brush.fillStyle = theme.panel;
  brush.fill();
  brush.lineWidth = width;
  brush.strokeStyle = faded(colour, theme.dark ? 0.26 : 0.2);
  brush.beginPath();
  brush.arc(x, y, at, 0, 2 * Math.PI);
  brush.stroke();
  const share = progress(node, pieceCount);
  if (share > 0) {
    brush.strokeStyle = colour;
    brush.beginPath();
    brush.arc(x, y, at, -Math.PI / 2, -Math.PI / 2 + share * 2 * Math.PI);
    brush.stroke();
  }
  label(brush, id, spot, theme.ink);
}

function label(brush: Brush, id: number, { x, y, radius }: Spot, colour: string): void {
  if (radius < NUMBER) return;
  const digits = String(id).length;
  const size = Math.min(13, radius * (digits > 3 ? 0.5 : digits > 2 ? 0.62 : 0.8));
  if (size < 7.5) return;
  brush.font = `600 ${size}px system-ui, sans-serif`;
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  brush.fillStyle = colour;
  brush.fillText(String(id), x, y + 0.5);
}

/** Around a peer that is selected or under the pointer. */
export function paintHalo(brush: Brush, { x, y, radius }: Spot, colour: string, strong: boolean): void {
  brush.lineWidth = strong ? 2.5 : 1.5;
  brush.strokeStyle = colour;
  brush.beginPath();
  brush.arc(x, y, radius * (radius < RING ? 1 : 1.05) + (strong ? 5 : 4), 0, 2 * Math.PI);
  brush.stroke();
}
