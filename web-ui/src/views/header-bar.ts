// The head of the page: what run this is, the views, search, theme, help.
import { VIEWS, type View } from "../ui/address.js";
import type { App } from "../ui/app.js";
import { h, say } from "../ui/dom.js";
import { bytes, plural } from "../ui/numbers.js";
import { toggleTheme } from "../ui/theme.js";

const NAMES: { [view in View]: string } = { swarm: "Swarm", matrix: "Pieces", lines: "Time lines", inspector: "Inspector", all: "All four" };

export class HeaderBar {
  readonly element: HTMLElement;
  readonly search = h("input", { type: "search", placeholder: "Peer or piece 17", "aria-label": "Search: a number of a peer, or piece and its number" });
  private readonly name = h("h1", {}, "swarmlab");
  private readonly about = h("p", { class: "about" });
  private readonly tabs = new Map<View, HTMLElement>();

  constructor(app: App, help: () => void) {
    const tabs = VIEWS.map((view, index) => {
      const tab = h("button", { type: "button", "data-view": view, title: `${NAMES[view]} (${index === 4 ? 5 : index + 1})`, onclick: () => app.show(view) }, NAMES[view]);
      this.tabs.set(view, tab);
      return tab;
    });
    const form = h("form", { role: "search", onsubmit: (event: Event) => { event.preventDefault(); this.find(app); } }, this.search);
    this.element = h("header", { class: "head" }, h("div", { class: "title" }, mark(), h("div", {}, this.name, this.about)),
      h("nav", { class: "tabs", "aria-label": "Views" }, ...tabs),
      h("div", { class: "tools" }, form, h("button", { type: "button", "aria-label": "Light or dark", title: "Light or dark", onclick: toggleTheme }, "◐"),
        h("button", { type: "button", "aria-label": "Help", title: "Help (?)", onclick: help }, "?")));
  }

  draw(app: App): void {
    const { header } = app.recording;
    for (const [view, tab] of this.tabs) tab.setAttribute("aria-current", app.place.view === view ? "page" : "false");
    const name = header?.name || app.session?.name || "swarmlab";
    say(this.name, name);
    const title = name === "swarmlab" ? name : `${name} · swarmlab`;
    if (document.title !== title) document.title = title;
    if (!header) return;
    const { content } = header;
    const what = content.piece_count > 0 ? `, ${bytes(content.length)} in ${plural(content.piece_count, "piece")}` : "";
    const world = header.world === "real" ? "real swarm" : "simulated swarm";
    say(this.about, `${world}, ${plural(Math.max(header.nodes, app.recording.roster.placeOf.size), "peer")}${what}${header.seed === null ? "" : `, seed ${header.seed}`}`);
  }

  private find(app: App): void {
    const match = /^\s*(peer|piece)?\s*#?(\d{1,9})\s*$/i.exec(this.search.value);
    this.search.setAttribute("aria-invalid", match ? "false" : "true");
    if (!match) return;
    const number = Number(match[2]);
    if (match[1]?.toLowerCase() === "piece") app.goTo({ piece: number, view: "matrix" });
    else app.selectPeer(number);
    this.search.blur();
  }
}

/** Six peers around one: the sign of the page. */
function mark(): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "-12 -12 24 24");
  svg.setAttribute("class", "sign");
  svg.setAttribute("aria-hidden", "true");
  const add = (name: string, attributes: { [name: string]: number }): void => {
    const part = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, String(value));
    svg.append(part);
  };
  for (let index = 0; index < 6; index += 1) {
    const angle = (index * Math.PI) / 3;
    const x = Math.cos(angle) * 9;
    const y = Math.sin(angle) * 9;
    add("line", { x1: 0, y1: 0, x2: x * 0.7, y2: y * 0.7 });
    add("circle", { cx: x, cy: y, r: 2.4 });
  }
  add("rect", { x: -3.4, y: -3.4, width: 6.8, height: 6.8, rx: 1.6 });
  return svg;
}
