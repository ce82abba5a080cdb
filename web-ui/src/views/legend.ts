// The key to the picture: groups with their colour and how many of each are there, what shapes and lines mean, what is left out.
import type { Swarm } from "../swarm/state.js";
import type { App } from "../ui/app.js";
import { fill, h, say } from "../ui/dom.js";
import { count } from "../ui/numbers.js";
import { groupColour } from "../ui/theme.js";
import { sampled } from "./shown.js";

const EVERY_MS = 150;

export interface GroupCount {
  leechers: number;
  seeds: number;
  /** Left after it was complete. */
  done: number;
  /** Left before. */
  left: number;
}

const nobody = (): GroupCount => ({ leechers: 0, seeds: 0, done: 0, left: 0 });

/** Peers by group and by what became of them, over all nodes of the trace. */
export function countGroups(swarm: Swarm): GroupCount[] {
  const counts = swarm.header.groups.map(nobody);
  for (const node of swarm.nodes) {
    if (!node) continue;
    const group = (counts[node.group] ??= nobody());
    if (!node.present) group[node.completedAt !== null || node.complete ? "done" : "left"] += 1;
    else if (node.complete) group.seeds += 1;
    else group.leechers += 1;
  }
  return counts;
}

export class Legend {
  readonly element = h("div", { class: "legend" });
  private readonly rows = h("ul", { class: "groups" });
  private readonly note = h("p", { class: "note" });
  private readonly total = h("p", { class: "total", "data-count": "swarm" });
  /** As they were last counted. */
  counts: GroupCount[] = [];
  private cells: { seeds: HTMLElement; leechers: HTMLElement; left: HTMLElement }[] = [];
  private built = "";
  private at = 0;

  constructor() {
    const line = (kind: string, text: string): HTMLElement => h("li", {}, h("i", { class: `mark ${kind}`, "aria-hidden": "true" }), text);
    fill(this.element, this.total, this.rows, h("ul", { class: "marks" },
      line("ring", "leecher: the arc is what it has"), line("square", "seed: has everything"), line("flow", "content flows; width is rate"),
      line("wish", "interested, but choked"), line("arc", "around: share of the group that is complete")), this.note);
  }

  draw(app: App, swarm: Swarm, now: number): void {
    this.build(app, swarm);
    if (now - this.at < EVERY_MS) return;
    this.at = now;
    say(this.total, `${count(swarm.present)} here, ${count(swarm.complete)} complete`);
    this.counts = countGroups(swarm);
    this.counts.forEach((group, index) => {
      const cells = this.cells[index];
      if (!cells) return;
      say(cells.seeds, count(group.seeds));
      say(cells.leechers, count(group.leechers));
      const left = group.left + group.done;
      say(cells.left, count(left));
      if (cells.left.parentElement) cells.left.parentElement.hidden = left === 0;
    });
    say(this.note, sampled(app.recording) ?? "");
  }

  private build(app: App, swarm: Swarm): void {
    const groups = swarm.header.groups;
    const key = `${app.theme.dark} ${groups.length} ${app.recording.header?.name}`;
    if (key === this.built) return;
    this.built = key;
    this.cells = groups.map(() => ({ seeds: h("b", {}, "0"), leechers: h("b", {}, "0"), left: h("b", {}, "0") }));
    fill(this.rows, ...groups.map((group, index) => {
      const swatch = h("i", { class: group.role === "seed" ? "swatch square" : "swatch", "aria-hidden": "true" });
      swatch.style.background = groupColour(app.theme, index);
      const { seeds, leechers, left } = this.cells[index];
      const gone = h("span", { hidden: true }, ", ", left, " left");
      const kind = group.behaviour === "honest" ? "" : group.behaviour;
      return h("li", { "data-group": index }, swatch, h("span", { class: "name" }, group.name, kind && kind !== group.name ? h("small", {}, kind) : null),
        h("span", { class: "counts" }, leechers, " leeching, ", seeds, " seeding", gone));
    }));
  }
}
