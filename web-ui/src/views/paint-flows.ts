// Draws flows and wishes as curves that bend to the middle of the swarm: out and back on different sides, so both show.
import { faded, type Theme } from "../ui/theme.js";
import type { Flow, Wish } from "./flows.js";
import type { Spot } from "./layout.js";

type Brush = CanvasRenderingContext2D;

interface Curve {
  x0: number;
  y0: number;
  cx: number;
  cy: number;
  x1: number;
  y1: number;
}

export interface Stage {
  spotOf(node: number): Spot | null;
  colourOf(node: number): string;
  centre: { x: number; y: number };
  theme: Theme;
  /** Of the picture: 1 where it is large; lines are thinner in a small one. */
  scale: number;
}

function curve(from: Spot, to: Spot, centre: { x: number; y: number }): Curve {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy) || 1;
  const bend = Math.min(36, length * 0.14);
  const mx = (from.x + to.x) / 2;
  const my = (from.y + to.y) / 2;
  const cx = mx + (centre.x - mx) * 0.3 - (dy / length) * bend;
  const cy = my + (centre.y - my) * 0.3 + (dx / length) * bend;
  // Begin and end at the edge of the peers, not under them.
  const start = towards(from, cx, cy, from.radius + 1);
  const end = towards(to, cx, cy, to.radius + 3);
  return { x0: start.x, y0: start.y, cx, cy, x1: end.x, y1: end.y };
}

function towards(spot: Spot, x: number, y: number, distance: number): { x: number; y: number } {
  const length = Math.hypot(x - spot.x, y - spot.y) || 1;
  return { x: spot.x + ((x - spot.x) / length) * distance, y: spot.y + ((y - spot.y) / length) * distance };
}

function along({ x0, y0, cx, cy, x1, y1 }: Curve, share: number): { x: number; y: number } {
  const rest = 1 - share;
  return {
    x: rest * rest * x0 + 2 * rest * share * cx + share * share * x1,
    y: rest * rest * y0 + 2 * rest * share * cy + share * share * y1,
  };
}

/** Width is rate. `phase` moves a drop along each flow, from who gives to who takes; null draws a standing arrow. */
export function paintFlows(brush: Brush, flows: readonly Flow[], stage: Stage, most: number, phase: number | null, focus: number | null): void {
  for (let index = flows.length - 1; index >= 0; index -= 1) {
    const flow = flows[index];
    const from = stage.spotOf(flow.from);
    const to = stage.spotOf(flow.to);
    if (!from || !to) continue;
    const near = focus === null || flow.from === focus || flow.to === focus;
    const strength = Math.sqrt(flow.rate / most);
    const line = curve(from, to, stage.centre);
    const colour = stage.colourOf(flow.from);
    brush.strokeStyle = faded(colour, near ? 0.26 + 0.42 * strength : 0.07);
    brush.lineWidth = (0.8 + 5.2 * strength) * stage.scale;
    brush.lineCap = "round";
    brush.beginPath();
    brush.moveTo(line.x0, line.y0);
    brush.quadraticCurveTo(line.cx, line.cy, line.x1, line.y1);
    brush.stroke();
    if (!near) continue;
    arrow(brush, line, colour, (2.6 + 3.4 * strength) * stage.scale);
    if (phase !== null) {
      const drop = along(line, (phase + ((flow.from * 31 + flow.to * 17) % 64) / 64) % 1);
      brush.fillStyle = colour;
      brush.beginPath();
      brush.arc(drop.x, drop.y, (1.2 + 2 * strength) * stage.scale, 0, 2 * Math.PI);
      brush.fill();
    }
  }
}

function arrow(brush: Brush, line: Curve, colour: string, size: number): void {
  const length = Math.hypot(line.x1 - line.cx, line.y1 - line.cy) || 1;
  const ux = (line.x1 - line.cx) / length;
  const uy = (line.y1 - line.cy) / length;
  brush.fillStyle = colour;
  brush.beginPath();
  brush.moveTo(line.x1 + ux * 2, line.y1 + uy * 2);
  brush.lineTo(line.x1 - ux * size * 1.6 - uy * size * 0.8, line.y1 - uy * size * 1.6 + ux * size * 0.8);
  brush.lineTo(line.x1 - ux * size * 1.6 + uy * size * 0.8, line.y1 - uy * size * 1.6 - ux * size * 0.8);
  brush.fill();
}

/** Dashed: interested, but choked. */
export function paintWishes(brush: Brush, wishes: readonly Wish[], stage: Stage, strong: boolean): void {
  brush.setLineDash([2, 5]);
  brush.lineCap = "butt";
  brush.lineWidth = strong ? 1.4 : 0.8;
  brush.strokeStyle = faded(stage.theme.dim, strong ? 0.9 : 0.28);
  brush.beginPath();
  for (const wish of wishes) {
    const from = stage.spotOf(wish.from);
    const to = stage.spotOf(wish.to);
    if (!from || !to) continue;
    const line = curve(from, to, stage.centre);
    brush.moveTo(line.x0, line.y0);
    brush.quadraticCurveTo(line.cx, line.cy, line.x1, line.y1);
  }
  brush.stroke();
  brush.setLineDash([]);
}

/** The tracker stands apart; a line to it shows who speaks with it now. `freshness` is 1 at the moment of the word. */
export function paintTracker(brush: Brush, at: Spot, theme: Theme, down: boolean, calls: readonly { spot: Spot; freshness: number; reply: boolean }[]): void {
  for (const { spot, freshness, reply } of calls) {
    brush.strokeStyle = faded(reply ? theme.accent : theme.dim, 0.75 * freshness);
    brush.lineWidth = 1.4;
    brush.setLineDash(reply ? [] : [1, 3]);
    brush.beginPath();
    brush.moveTo(spot.x, spot.y);
    brush.lineTo(at.x, at.y);
    brush.stroke();
  }
  brush.setLineDash([]);
  const { x, y, radius } = at;
  brush.beginPath();
  for (let corner = 0; corner < 6; corner += 1) {
    const angle = (corner * Math.PI) / 3 - Math.PI / 2;
    brush.lineTo(x + Math.cos(angle) * radius, y + Math.sin(angle) * radius);
  }
  brush.closePath();
  brush.fillStyle = theme.panel;
  brush.fill();
  brush.lineWidth = 2;
  brush.strokeStyle = down ? theme.alarm : theme.ink;
  brush.stroke();
  brush.fillStyle = down ? theme.alarm : theme.ink;
  brush.font = `700 ${radius * 0.72}px system-ui, sans-serif`;
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  brush.fillText(down ? "×" : "T", x, y + 1);
  brush.font = "11px system-ui, sans-serif";
  brush.fillStyle = down ? theme.alarm : theme.dim;
  brush.fillText(down ? "tracker: down" : "tracker", x, y + radius + 10);
}
