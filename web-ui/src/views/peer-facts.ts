// A peer, and a link of it, as facts: what is known at the moment of the clock, in words.
import { client, extensions } from "../bytes/peer.js";
import { Level, openLinks, progress, type Link, type Node } from "../swarm/model.js";
import { rateOf } from "../swarm/recent.js";
import type { Swarm } from "../swarm/state.js";
import { LEAVE, LEVELS, whyWords } from "../swarm/words.js";
import type { App } from "../ui/app.js";
import { h } from "../ui/dom.js";
import { address, ascii, bytes, clock, percent, plural, rate, rateLimit } from "../ui/numbers.js";
import { groupColour } from "../ui/theme.js";
import { inFlight } from "./matrix-rows.js";

type Fact = [string, string | HTMLElement];

export function facts(rows: readonly Fact[]): HTMLElement {
  return h("dl", { class: "facts" }, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

export function peerFacts(swarm: Swarm, node: Node): HTMLElement {
  const group = swarm.header.groups[node.group];
  const status = !node.present
    ? `left at ${clock(node.leftAt ?? 0)}${node.leftAt === null ? "" : `: ${LEAVE[node.leftWhy] ?? ""}`}`
    : node.complete ? "seed: has every piece" : `leecher: ${percent(progress(node, swarm.pieceCount))}, ${plural(node.haveCount, "piece")} of ${swarm.pieceCount}`;
  const behaviour = group && group.behaviour !== "honest" ? `, ${group.behaviour}` : "";
  return facts([
    ["status", status + (node.endgame && !node.complete ? ", in the endgame" : "")],
    ["group", `${group?.name ?? node.group}${behaviour}${group?.preset ? `, client ${group.preset}` : ""}`],
    ...told(node),
    ["limits", `up ${rateLimit(node.up)}, down ${rateLimit(node.down)}`],
    ["joined", clock(node.joinedAt) + (node.completedAt === null ? "" : `, complete at ${clock(node.completedAt)}`)],
    ["address", address(node.address.ip, node.address.port)],
    ["peer id", `${ascii(node.peerId)} (${client(node.peerId)})`],
    ["speaks", extensions(node.reserved)],
    ["recorded", LEVELS[node.level] ?? ""],
  ]);
}

/** What only a peer recorded with every message can tell. */
function told(node: Node): Fact[] {
  if (node.level !== Level.Messages) return [];
  const flying = [...inFlight(node)];
  return [
    ["rates", `↓ ${rate(rateOf(node.recentIn))}, ↑ ${rate(rateOf(node.recentOut))} over 2 s`],
    ["so far", `received ${bytes(node.received)}, sent ${bytes(node.sent)}`],
    ["pieces on their way", flying.length === 0 ? "none" : flying.slice(0, 12).join(", ") + (flying.length > 12 ? ", …" : "")],
  ];
}

/** The flags of a link as words with a mark, so that they do not hang on colour. */
function flag(on: boolean, yes: string, no: string): HTMLElement {
  return h("span", { class: on ? "flag on" : "flag" }, on ? yes : no);
}

export function connectionTable(app: App, swarm: Swarm, node: Node): HTMLElement {
  const links = openLinks(node).sort((one, other) => other.recentIn + other.recentOut - one.recentIn - one.recentOut || one.remote - other.remote);
  if (node.level !== Level.Messages && links.length === 0) {
    return h("p", { class: "empty" }, "Its messages are not recorded, so its connections and rates are not known. Peers recorded in full are those with links in the list of all peers.");
  }
  if (links.length === 0) return h("p", { class: "empty" }, node.present ? "No connections at this moment." : "It is not here at this moment.");
  const head = h("thead", {}, h("tr", {}, ...["remote", "it to us", "we to it, and why", "asked", "down", "up"].map((name) => h("th", { scope: "col" }, name))));
  const body = h("tbody", {}, ...links.map((link) => connectionRow(app, swarm, link)));
  return h("div", { class: "scroll-x" }, h("table", { class: "connections", "data-count": "connections" }, head, body));
}

function connectionRow(app: App, swarm: Swarm, link: Link): HTMLElement {
  const remote = swarm.nodes[link.remote];
  const swatch = h("i", { class: remote?.complete ? "swatch square" : "swatch", "aria-hidden": "true" });
  swatch.style.background = groupColour(app.theme, remote?.group ?? 0);
  const open = h("button", { type: "button", class: "link", onclick: () => app.selectConn(link.node, link.conn), "aria-label": `Link to ${app.peerName(link.remote)}` },
    swatch, `${link.outgoing ? "→" : "←"} ${link.remote}`);
  const words = whyWords(link.why, link.whyChoke) + (link.snubbed ? "; it snubs us" : "");
  return h("tr", {}, h("th", { scope: "row" }, open),
    h("td", {}, flag(!link.remoteChokes, "open", "choked"), link.weInterested ? " wanted" : ""),
    h("td", {}, flag(!link.weChoke, "open", "choked"), link.remoteInterested ? " wants" : "", h("small", { class: "words" }, words)),
    h("td", { class: "number" }, String(link.requests.length / 3)), h("td", { class: "number" }, rate(rateOf(link.recentIn))), h("td", { class: "number" }, rate(rateOf(link.recentOut))));
}

/** Pieces of which blocks are asked for, with how many of each. */
function askedPieces(link: Link): string {
  const blocks = new Map<number, number>();
  for (let at = 0; at < link.requests.length; at += 3) blocks.set(link.requests[at], (blocks.get(link.requests[at]) ?? 0) + 1);
  return [...blocks].map(([piece, count]) => `piece ${piece} (${count})`).join(", ");
}

export function linkFacts(app: App, swarm: Swarm, link: Link): HTMLElement {
  const other = swarm.opposite(link);
  const them = app.peerName(link.remote);
  const us = app.peerName(link.node);
  const rows: Fact[] = [
    ["opened", `${clock(link.openedAt)}, ${link.outgoing ? `dialled by ${us}` : `dialled by ${them}`}`],
    [`${us} to ${them}`, `${link.weChoke ? "chokes it" : "lets it ask"}; ${link.weInterested ? "wants its pieces" : "wants nothing of it"}`],
    [`${them} to ${us}`, `${link.remoteChokes ? "chokes it" : "lets it ask"}; ${link.remoteInterested ? "wants its pieces" : "wants nothing of it"}`],
    [`why, at ${us}`, whyWords(link.why, link.whyChoke) + (link.snubbed ? "; it snubs us" : "")],
    [`why, at ${them}`, other ? whyWords(other.why, other.whyChoke) : "not recorded"],
    ["asked for", link.requests.length === 0 ? "nothing" : `${plural(link.requests.length / 3, "block")} of ${askedPieces(link)}`],
    ["rates", `↓ ${rate(rateOf(link.recentIn))}, ↑ ${rate(rateOf(link.recentOut))} over 2 s`],
    ["so far", `received ${bytes(link.received)}, sent ${bytes(link.sent)}`],
  ];
  return facts(rows);
}
