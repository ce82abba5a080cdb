// The latest events before the moment of the clock, in words: of all, or of the peer or link that is selected.
import { latest } from "../swarm/scan.js";
import { recordWords } from "../swarm/words.js";
import type { App } from "../ui/app.js";
import { fill, h, say } from "../ui/dom.js";
import { seconds } from "../ui/numbers.js";

const LINES = 14;
const EVERY_MS = 160;

export class Ticker {
  readonly element: HTMLElement;
  private readonly list = h("ol", { class: "events" });
  private readonly title = h("h3", {}, "Just now");
  private at = 0;
  private shown = "";

  constructor() {
    this.element = h("div", { class: "ticker" }, this.title, this.list);
  }

  draw(app: App, now: number): void {
    const { player } = app;
    if (!player || now - this.at < EVERY_MS) return;
    const key = `${player.swarm.time} ${app.revision}`;
    if (key === this.shown) return;
    this.at = now;
    this.shown = key;
    say(this.title, app.place.peer === null ? "Just now" : `Just now, ${app.peerName(app.place.peer)}`);
    const records = latest(app.recording, player.swarm.time, app.filter, LINES);
    fill(this.list, ...records.map((record) => {
      const link = player.swarm.link(record.node, record.conn);
      const remote = link ? app.peerName(link.remote) : null;
      const current = record.time === player.swarm.time;
      return h("li", { class: current ? "current" : "" }, h("time", {}, seconds(record.time)), " ", recordWords(record, (node) => app.peerName(node), remote));
    }));
  }
}
