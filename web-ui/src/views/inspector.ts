// The inspector: from all peers to a peer, to one of its links, to a message and its bytes. What is shown is the selection.
import type { Link } from "../swarm/model.js";
import type { Swarm } from "../swarm/state.js";
import type { App, Panel } from "../ui/app.js";
import { fill, h } from "../ui/dom.js";
import { EventList } from "./event-list.js";
import { connectionTable, linkFacts, peerFacts } from "./peer-facts.js";
import { PeerTable } from "./peer-table.js";
import { recordDetail } from "./record-detail.js";

const EVERY_MS = 250;

export class Inspector implements Panel {
  readonly element: HTMLElement;
  private readonly crumbs = h("nav", { class: "crumbs", "aria-label": "Selection" });
  private readonly top = h("div", { class: "top-part" });
  private readonly detail = h("div", { class: "detail-part" });
  private readonly parts = h("div", { class: "parts" });
  private readonly peers = new PeerTable();
  private readonly events: EventList;
  private crumbsFor = "";
  private topFor = "";
  private topAt = 0;
  private detailFor = "nothing yet";
  /** The link that was selected while it was open: what is known of it stays when it closes. */
  private link: Link | null = null;

  constructor(app: App) {
    this.events = new EventList(app);
    this.element = h("section", { class: "view inspector", "aria-label": "Inspector" }, this.crumbs,
      this.parts, this.peers.element);
    this.parts.append(this.top, h("div", { class: "lower" }, this.events.element, this.detail));
  }

  draw(app: App, now: number): void {
    const { swarm } = app;
    if (!swarm || this.element.clientWidth === 0) return;
    const { peer } = app.place;
    this.drawCrumbs(app);
    this.peers.element.hidden = peer !== null;
    this.element.classList.toggle("all", peer === null);
    this.parts.classList.toggle("deep", app.place.message !== null);
    if (peer === null) {
      this.peers.draw(app, now);
      return;
    }
    this.drawTop(app, swarm, now);
    this.drawEvents(app, swarm);
  }

  private drawCrumbs(app: App): void {
    const { peer, conn, message } = app.place;
    const key = `${peer} ${conn} ${message}`;
    if (key === this.crumbsFor) return;
    this.crumbsFor = key;
    const crumb = (text: string, act: () => void, current: boolean): HTMLElement =>
      h("button", { type: "button", onclick: act, "aria-current": current ? "true" : undefined }, text);
    const remote = conn === null || peer === null ? null : app.swarm?.link(peer, conn)?.remote;
    fill(this.crumbs, crumb("all peers", () => app.selectPeer(null), peer === null),
      peer !== null && crumb(app.peerName(peer), () => app.goTo({ conn: null, message: null }), conn === null && message === null),
      peer !== null && conn !== null && crumb(remote === null || remote === undefined ? `link ${conn}` : `link to ${app.peerName(remote)}`, () => app.goTo({ message: null }), message === null),
      message !== null && crumb("event", () => undefined, true));
  }

  private drawTop(app: App, swarm: Swarm, now: number): void {
    const { peer, conn } = app.place;
    if (peer === null || now - this.topAt < EVERY_MS) return;
    const key = `${app.player?.revision} ${app.revision}`;
    if (key === this.topFor) return;
    this.topFor = key;
    this.topAt = now;
    const node = swarm.nodes[peer];
    if (!node) return fill(this.top, h("p", { class: "empty" }, `${app.peerName(peer)} is not here yet at this moment.`));
    const link = conn === null ? undefined : swarm.link(peer, conn);
    if (link) this.link = link;
    const focused = document.activeElement?.getAttribute("aria-label");
    if (conn === null) fill(this.top, peerFacts(swarm, node), connectionTable(app, swarm, node));
    else if (link) fill(this.top, linkFacts(app, swarm, link));
    else fill(this.top, h("p", { class: "empty" }, "This link is not open at this moment."));
    // The table is made anew: who was on a row of it by keyboard stays there.
    if (focused && document.activeElement === document.body) this.top.querySelector<HTMLElement>(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }

  private drawEvents(app: App, swarm: Swarm): void {
    const { peer, conn, message } = app.place;
    if (peer === null) return;
    const known = conn !== null && this.link?.node === peer && this.link.conn === conn ? this.link : (swarm.link(peer, conn ?? -1) ?? null);
    const from = conn === null ? 0 : (known?.openedAt ?? 0);
    this.events.draw(app, conn === null ? { node: peer } : { node: peer, conn }, from, Infinity);
    const record = message === null ? undefined : this.events.records[message];
    const key = record ? `${peer} ${conn} ${message} ${record.time} ${record.kind}` : "";
    if (key === this.detailFor) return;
    this.detailFor = key;
    this.detail.hidden = !record;
    if (record) fill(this.detail, recordDetail(app, swarm, record));
    else fill(this.detail);
  }
}
