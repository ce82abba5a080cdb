// What a peer or a link did and was told, in order: messages with their direction, decisions with their reason. Long lists are
// gathered in slices while the page goes on.
import { collect, MOST_LISTED, type Filter, type Listing } from "../swarm/scan.js";
import { recordWords } from "../swarm/words.js";
import { Kind, type Record } from "../trace/records.js";
import type { App } from "../ui/app.js";
import { fill, h, say } from "../ui/dom.js";
import { count, seconds } from "../ui/numbers.js";
import { VirtualList } from "./virtual-list.js";

/** What can be shown or hidden, by name. */
const KINDS: { [name: string]: (record: Record) => boolean } = {
  everything: () => true,
  "choking and interest": (record) => isMessage(record, [0, 1, 2, 3]) || [Kind.Choked, Kind.Unchoked, Kind.Snubbed].includes(record.kind),
  decisions: (record) => [Kind.Choked, Kind.Unchoked, Kind.Picked, Kind.Snubbed, Kind.Banned, Kind.Endgame].includes(record.kind),
  "requests and blocks": (record) => isMessage(record, [6, 7, 8, 16]),
  "have and bitfield": (record) => isMessage(record, [4, 5, 13, 14, 15, 17]),
  "links and handshakes": (record) => [Kind.Dial, Kind.DialFailed, Kind.Opened, Kind.Closed].includes(record.kind) || isMessage(record, [20]),
  tracker: (record) => record.kind === Kind.Announce || record.kind === Kind.Reply,
  pieces: (record) => record.kind === Kind.Verified || record.kind === Kind.Completed,
};

function isMessage(record: Record, ids: readonly number[]): boolean {
  return (record.kind === Kind.Sent || record.kind === Kind.Received) && ids.includes(record.message);
}

interface Item {
  record: Record;
  /** Place in the whole list: what a link names. */
  ordinal: number;
  remote: string | null;
}

export class EventList {
  readonly element: HTMLElement;
  /** All of them, whatever is hidden. */
  records: Record[] = [];
  private readonly list = new VirtualList("Events", 26);
  private readonly said = h("span", { class: "said", "data-count": "events" });
  private readonly kinds = h("select", { "aria-label": "Which events" });
  private items: Item[] = [];
  private gathering: Generator<Listing> | null = null;
  private gatheredFor = "";
  private filteredFor = "";
  private shownAt = -1;
  private complete = false;
  private cut = false;

  constructor(private readonly app: App) {
    fill(this.kinds, ...Object.keys(KINDS).map((name) => h("option", { value: name }, name)));
    this.kinds.addEventListener("change", () => { this.filteredFor = ""; this.shownAt = -1; });
    this.element = h("div", { class: "eventlist" }, h("div", { class: "toolbar" }, h("label", {}, "Show ", this.kinds), this.said), this.list.element);
  }

  /** Gathers what the filter names between two times, and shows it with the moment of the clock. */
  draw(app: App, filter: Filter, from: number, to: number): void {
    const key = `${filter.node} ${filter.conn} ${from} ${to} ${app.recording.closed ? "" : app.recording.entries.length >> 4} ${app.recording.idle}`;
    if (key !== this.gatheredFor) {
      this.gatheredFor = key;
      this.gathering = collect(app.recording, filter, from, to);
      this.filteredFor = "";
    }
    this.gather();
    const wanted = `${this.gatheredFor} ${this.records.length} ${this.kinds.value} ${this.complete}`;
    if (wanted !== this.filteredFor) {
      this.filteredFor = wanted;
      this.filterItems(app, filter);
      this.shownAt = -1;
    }
    const shown = app.clock.time + app.revision * 1e9;
    if (shown === this.shownAt) return;
    this.shownAt = shown;
    this.list.set(this.items.length, (index) => this.row(this.items[index]));
    const at = this.indexOfMoment();
    if (at >= 0) this.list.scrollTo(at);
  }

  private gather(): void {
    const step = this.gathering?.next();
    if (!step || step.done) return;
    this.records = step.value.records;
    this.complete = step.value.done;
    this.cut = step.value.cut;
    if (step.value.done) this.gathering = null;
  }

  /** Links are told apart by whom they led to at that time: their numbers are used again. */
  private filterItems(app: App, filter: Filter): void {
    const keep = KINDS[this.kinds.value] ?? KINDS.everything;
    const remotes = new Map<number, number>();
    this.items = [];
    this.records.forEach((record, ordinal) => {
      if (record.kind === Kind.Opened && record.node === filter.node) remotes.set(record.conn, record.remote);
      const known = remotes.get(record.conn) ?? app.swarm?.link(record.node, record.conn)?.remote;
      if (keep(record)) this.items.push({ record, ordinal, remote: known === undefined ? null : app.peerName(known) });
    });
    const more = this.cut ? `; the first ${count(MOST_LISTED)} are listed` : this.complete ? "" : ", reading on";
    say(this.said, `${count(this.items.length)} events${more}`);
  }

  /** The selected one, or the last at or before the moment of the clock. */
  private indexOfMoment(): number {
    const { message } = this.app.place;
    if (message !== null) return this.items.findIndex((item) => item.ordinal === message);
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.items[middle].record.time <= this.app.clock.time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  private row(item: Item): HTMLElement {
    const { record, ordinal, remote } = item;
    const past = record.time <= this.app.clock.time;
    const chosen = this.app.place.message === ordinal;
    const direction = record.kind === Kind.Sent ? "out" : record.kind === Kind.Received ? "in" : "own";
    const words = recordWords(record, (node) => this.app.peerName(node), remote).replace(record.node === this.app.place.peer ? /^peer \d+ / : /^$/, "");
    return h("button", { type: "button", class: `event ${direction}${past ? "" : " future"}${chosen ? " chosen" : ""}`, "aria-pressed": chosen ? "true" : "false", onclick: () => this.choose(item) },
      h("time", {}, seconds(record.time, 4)), h("span", { class: "arrow", "aria-hidden": "true" }, direction === "out" ? "→" : direction === "in" ? "←" : "•"), h("span", { class: "what" }, words));
  }

  private choose({ record, ordinal }: Item): void {
    this.app.goTo({ message: ordinal, time: record.time });
  }
}
