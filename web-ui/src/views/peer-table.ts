// All peers as a list to choose from: the way in for who does not point at pictures.
import { Level, openLinks, progress, type Node } from "../swarm/model.js";
import { rateOf } from "../swarm/recent.js";
import type { Sort } from "../ui/address.js";
import type { App } from "../ui/app.js";
import { h, say } from "../ui/dom.js";
import { percent, plural, rate } from "../ui/numbers.js";
import { groupColour } from "../ui/theme.js";
import { VirtualList } from "./virtual-list.js";

const EVERY_MS = 250;

export class PeerTable {
  readonly element: HTMLElement;
  private readonly list = new VirtualList("Peers", 30);
  private readonly title = h("p", { class: "said" });
  private rows: Node[] = [];
  private at = 0;
  private drawn = "";

  constructor() {
    this.element = h("div", { class: "peers" }, this.title,
      h("div", { class: "peer head", "aria-hidden": "true" }, h("span", {}, "peer"), h("span", {}, "group"), h("span", {}, "has"), h("span", {}, "down"), h("span", {}, "up"), h("span", {}, "links")), this.list.element);
  }

  draw(app: App, now: number): void {
    const { swarm, player } = app;
    if (!swarm || !player || now - this.at < EVERY_MS) return;
    const key = `${player.revision} ${app.revision}`;
    if (key === this.drawn) return;
    this.drawn = key;
    this.at = now;
    this.rows = swarm.nodes.filter((node): node is Node => node !== undefined).sort((one, other) => Number(other.present) - Number(one.present) || order(app.place.sort, one, other, swarm.pieceCount) || one.id - other.id);
    say(this.title, `${plural(this.rows.length, "peer")} so far; ${plural(swarm.present, "is", "are")} here. Choose one to see its connections and why each is choked or not.`);
    this.list.set(this.rows.length, (index) => this.row(app, this.rows[index], swarm.pieceCount));
  }

  private row(app: App, node: Node, pieces: number): HTMLElement {
    const share = progress(node, pieces);
    const told = node.level === Level.Messages;
    const bar = h("i", { class: "fill" });
    bar.style.width = `${share * 100}%`;
    bar.style.background = groupColour(app.theme, node.group);
    const swatch = h("i", { class: node.complete ? "swatch square" : "swatch" });
    swatch.style.background = groupColour(app.theme, node.group);
    return h("button", { type: "button", class: `peer${node.present ? "" : " gone"}`, onclick: () => app.selectPeer(node.id) },
      h("span", {}, swatch, String(node.id)), h("span", {}, app.recording.header?.groups[node.group]?.name ?? ""),
      h("span", { class: "bar" }, bar, h("b", {}, percent(share))), h("span", {}, told ? rate(rateOf(node.recentIn)) : ""), h("span", {}, told ? rate(rateOf(node.recentOut)) : ""),
      h("span", {}, !node.present ? "left" : told ? String(openLinks(node).length) : "–"));
  }
}

function order(sort: Sort, one: Node, other: Node, pieces: number): number {
  if (sort === "progress") return progress(other, pieces) - progress(one, pieces);
  if (sort === "group") return one.group - other.group;
  if (sort === "rate") return other.recentIn + other.recentOut - one.recentIn - one.recentOut;
  return sort === "join" ? one.joinedAt - other.joinedAt : 0;
}
