// The participants of a swarm as a still picture: the tracker, a seed, peers, and the pieces each has.
import { openLinks, progress, type Node } from "../swarm/model.js";
import { has } from "../swarm/pieces.js";
import type { App } from "../ui/app.js";
import { fill, h } from "../ui/dom.js";
import { percent } from "../ui/numbers.js";
import { groupColour } from "../ui/theme.js";

const MOST = 8;
const PIECES = 24;

export class Participants {
  readonly element = h("div", { class: "who-list" });
  private drawn = "";
  private at = 0;

  draw(app: App): void {
    const { swarm, player } = app;
    const now = performance.now();
    if (!swarm || !player || now - this.at < 250) return;
    const key = `${player.revision} ${app.theme.dark}`;
    if (key === this.drawn) return;
    this.drawn = key;
    this.at = now;
    const here = swarm.nodes.filter((node): node is Node => node?.present === true);
    const seeds = here.filter((node) => node.complete);
    const others = here.filter((node) => !node.complete);
    const shown = [...seeds.slice(0, Math.max(1, MOST - others.length)), ...others].slice(0, MOST);
    const rest = here.length - shown.length;
    fill(this.element, h("div", { class: "who tracker" }, h("b", {}, "tracker"), h("small", {}, "knows who is here, and has no content")),
      ...shown.map((node) => this.peer(app, node, swarm.pieceCount)), rest > 0 ? h("p", { class: "note" }, `and ${rest} more`) : null);
  }

  private peer(app: App, node: Node, pieceCount: number): HTMLElement {
    const colour = groupColour(app.theme, node.group);
    const pieces = h("span", { class: "pieces", "aria-hidden": "true" });
    for (let index = 0; index < Math.min(PIECES, pieceCount); index += 1) {
      const piece = Math.floor((index * pieceCount) / Math.min(PIECES, pieceCount));
      const cell = h("i", { class: has(node.have, piece) ? "had" : "" });
      if (has(node.have, piece)) cell.style.background = colour;
      pieces.append(cell);
    }
    const swatch = h("i", { class: node.complete ? "swatch square" : "swatch" });
    swatch.style.background = colour;
    return h("button", { type: "button", class: "who", onclick: () => app.selectPeer(node.id) }, swatch, h("b", {}, node.complete ? `seed ${node.id}` : `leecher ${node.id}`),
      h("small", {}, `${percent(progress(node, pieceCount))}, ${openLinks(node).length} links`), pieces);
  }
}
