// The swarm: who is there, how far each is, who gives to whom. A picture in the middle, its key and the latest events beside.
import { progress } from "../swarm/model.js";
import type { Swarm } from "../swarm/state.js";
import { rateOf } from "../swarm/recent.js";
import type { App, Panel } from "../ui/app.js";
import { context, fit, h, reducedMotion, say } from "../ui/dom.js";
import { percent, rate } from "../ui/numbers.js";
import { faded, groupColour } from "../ui/theme.js";
import { flowsOf, wishesOf, type Flow, type Wish } from "./flows.js";
import { layout, type Layout, type Spot } from "./layout.js";
import { Legend } from "./legend.js";
import { paintFlows, paintTracker, paintWishes, type Stage } from "./paint-flows.js";
import { paintHalo, paintPeers, type Placed } from "./paint-peers.js";
import { Ticker } from "./ticker.js";
import { shownNodes, shownRevision } from "./shown.js";

/** Up to so many peers every flow is drawn, beyond that the largest and those of the selected. */
const ALL_FLOWS = 260;
const TOP_FLOWS = 140;
/** Up to so many peers, and so many wishes, all wishes are drawn; beyond that those of the selected. */
const ALL_WISHES = 48;
const MOST_WISHES = 90;

export class SwarmView implements Panel {
  readonly element: HTMLElement;
  private readonly canvas = h("canvas", { tabindex: 0, role: "img", "aria-label": "The swarm: peers as rings of progress, lines for flows" });
  private readonly tip = h("div", { class: "tip", role: "status", hidden: true });
  private readonly legend = new Legend();
  private readonly ticker = new Ticker();
  private placed: Placed[] = [];
  private byId = new Map<number, Placed>();
  private layout: Layout = { spots: [], sectors: [], radius: 0 };
  private drawn = "";
  private laidOut = "";
  private flows: Flow[] = [];
  private wishes: Wish[] = [];
  private flowsAt = -1;

  constructor(private readonly app: App) {
    this.element = h("section", { class: "view swarm", "aria-label": "Swarm" },
      h("div", { class: "picture" }, this.canvas, this.tip), h("div", { class: "beside" }, this.legend.element, this.ticker.element));
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.hover(null));
    this.canvas.addEventListener("click", (event) => app.selectPeer(this.at(event)));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  draw(app: App, now: number): void {
    const swarm = app.swarm;
    const size = fit(this.canvas);
    if (!swarm || !size || !app.player) return;
    this.legend.draw(app, swarm, now);
    this.ticker.draw(app, now);
    const moving = app.clock.playing && !reducedMotion();
    const key = `${app.player.revision} ${app.revision} ${app.hover} ${size.width}x${size.height} ${shownRevision(app.recording)} ${moving ? now : 0}`;
    if (key === this.drawn) return;
    this.drawn = key;
    this.place(app, size.width, size.height);
    const brush = context(this.canvas);
    brush.setTransform(size.scale, 0, 0, size.scale, 0, 0);
    brush.clearRect(0, 0, size.width, size.height);
    this.paint(brush, app, swarm, size.width, size.height, moving ? (now / 1400) % 1 : null);
    this.showTip(app, swarm);
  }

  private place(app: App, width: number, height: number): void {
    const { recording } = app;
    const key = `${width}x${height} ${shownRevision(recording)}`;
    if (key === this.laidOut) return;
    this.laidOut = key;
    const nodes = shownNodes(recording);
    const outer = Math.max(40, Math.min(width, height) / 2 - 16);
    this.layout = layout(nodes.capacities, width / 2, height / 2, outer);
    this.placed = [];
    this.byId = new Map();
    for (const { id, group, slot } of nodes.nodes) {
      const spot = this.layout.spots[group]?.[slot];
      if (!spot) continue;
      const placed = { id, group, spot };
      this.placed.push(placed);
      this.byId.set(id, placed);
    }
  }

  private paint(brush: CanvasRenderingContext2D, app: App, swarm: Swarm, width: number, height: number, phase: number | null): void {
    const { theme } = app;
    const centre = { x: width / 2, y: height / 2 };
    const focus = app.hover ?? app.place.peer;
    const few = this.placed.length <= ALL_FLOWS;
    const stage: Stage = {
      spotOf: (node) => this.byId.get(node)?.spot ?? null,
      colourOf: (node) => groupColour(theme, this.byId.get(node)?.group ?? 0),
      centre, theme, scale: Math.max(0.4, Math.min(1, this.layout.radius / 330)),
    };
    this.look(app, swarm, focus);
    this.paintSectors(brush, app, centre);
    const shown = few ? this.flows : this.flows.filter((flow, index) => index < TOP_FLOWS || flow.from === focus || flow.to === focus);
    paintWishes(brush, this.wishes, stage, focus !== null);
    paintFlows(brush, shown, stage, Math.max(1, this.flows[0]?.rate ?? 1), phase, focus);
    this.paintCalls(brush, app, swarm);
    paintPeers(brush, this.placed, swarm, theme, focus === null || !few ? null : this.near(focus));
    for (const [id, strong] of [[app.hover, false], [app.place.peer, true]] as const) {
      const spot = id === null ? null : stage.spotOf(id);
      if (spot) paintHalo(brush, spot, theme.ink, strong);
    }
  }

  /** Flows and wishes are gathered when the swarm has moved, not for each drop that moves. */
  private look(app: App, swarm: Swarm, focus: number | null): void {
    const at = (app.player?.revision ?? 0) * 4096 + (focus ?? -1) + 1;
    if (at === this.flowsAt) return;
    this.flowsAt = at;
    this.flows = flowsOf(swarm);
    const wishes = focus !== null || this.placed.length <= ALL_WISHES ? wishesOf(swarm, focus) : [];
    this.wishes = focus === null && wishes.length > MOST_WISHES ? [] : wishes;
  }

  private near(focus: number): Set<number> {
    const near = new Set([focus]);
    for (const { from, to } of [...this.flows, ...this.wishes]) {
      if (from === focus) near.add(to);
      if (to === focus) near.add(from);
    }
    return near;
  }

  private paintSectors(brush: CanvasRenderingContext2D, app: App, centre: { x: number; y: number }): void {
    const { sectors, radius } = this.layout;
    brush.lineWidth = 3;
    brush.lineCap = "round";
    for (const { group, from, to } of sectors) {
      const counts = this.legend.counts[group];
      const all = counts ? counts.leechers + counts.seeds + counts.done + counts.left : 0;
      const share = counts && all > 0 ? (counts.seeds + counts.done) / all : 0;
      const colour = groupColour(app.theme, group);
      for (const [end, strength] of [[to, 0.3], [from + share * (to - from), 1]] as const) {
        if (end <= from) continue;
        brush.strokeStyle = faded(colour, strength);
        brush.beginPath();
        brush.arc(centre.x, centre.y, radius + 10, from, end);
        brush.stroke();
      }
    }
  }

  private paintCalls(brush: CanvasRenderingContext2D, app: App, swarm: Swarm): void {
    const at: Spot = { x: 36, y: 30, radius: 16 };
    const kept = Math.min(4_000_000, 700_000 * Math.max(1, app.clock.speed));
    const calls = swarm.calls.slice(-200).flatMap((call) => {
      const spot = this.byId.get(call.node)?.spot;
      const freshness = 1 - (swarm.time - call.time) / kept;
      return spot && freshness > 0 ? [{ spot, freshness, reply: call.reply && call.detail === 0 }] : [];
    });
    paintTracker(brush, at, app.theme, swarm.faults.has(0), calls);
  }

  private at(event: MouseEvent): number | null {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    let best: number | null = null;
    let least = Infinity;
    for (const { id, spot } of this.placed) {
      const distance = Math.hypot(spot.x - x, spot.y - y);
      if (distance < least && distance < Math.max(10, spot.radius + 4)) {
        least = distance;
        best = id;
      }
    }
    return best;
  }

  private point(event: PointerEvent): void {
    this.hover(this.at(event));
  }

  private hover(node: number | null): void {
    if (this.app.hover === node) return;
    this.app.hover = node;
    this.canvas.style.cursor = node === null ? "default" : "pointer";
  }

  /** Brackets walk from peer to peer, for who has no pointer. */
  private key(event: KeyboardEvent): void {
    if (event.key !== "[" && event.key !== "]") return;
    const ids = this.placed.map(({ id }) => id).sort((one, other) => one - other);
    const at = this.app.place.peer === null ? -1 : ids.indexOf(this.app.place.peer);
    const next = at < 0 ? 0 : (at + (event.key === "]" ? 1 : ids.length - 1)) % ids.length;
    if (ids.length > 0) this.app.selectPeer(ids[next]);
    event.preventDefault();
  }

  private showTip(app: App, swarm: Swarm): void {
    const placed = app.hover === null ? undefined : this.byId.get(app.hover);
    const node = app.hover === null ? undefined : swarm.nodes[app.hover];
    this.tip.hidden = !placed;
    if (!placed) return;
    const group = swarm.header.groups[placed.group]?.name ?? `group ${placed.group}`;
    let text = `${app.peerName(placed.id)} · ${group}`;
    if (!node) text += " · not here yet";
    else if (!node.present) text += " · has left";
    else {
      const rates = `↓ ${rate(rateOf(node.recentIn))} ↑ ${rate(rateOf(node.recentOut))}`;
      text += node.complete ? ` · seed · ${rates}` : ` · ${percent(progress(node, swarm.pieceCount))} · ${rates}`;
    }
    say(this.tip, text);
    const width = this.tip.offsetWidth;
    const left = Math.max(4, Math.min(this.canvas.clientWidth - width - 4, placed.spot.x - width / 2));
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${Math.max(4, placed.spot.y - placed.spot.radius - 38)}px`;
  }
}
