// One record in full: the bytes of a message, both handshakes of a link, an announce or its reply, a decision in a sentence.
import { explainHandshake, explainMessage, handshakeBytes } from "../bytes/peer.js";
import { explainReply, explainRequest } from "../bytes/tracker.js";
import type { Swarm } from "../swarm/state.js";
import { recordWords } from "../swarm/words.js";
import { Kind, type Record } from "../trace/records.js";
import type { App } from "../ui/app.js";
import { h } from "../ui/dom.js";
import { seconds } from "../ui/numbers.js";
import { byteView } from "./byte-view.js";

export function recordDetail(app: App, swarm: Swarm, record: Record): HTMLElement {
  const link = swarm.link(record.node, record.conn);
  const remote = link ? app.peerName(link.remote) : null;
  const element = h("div", { class: "detail" }, h("h3", {}, h("time", {}, seconds(record.time, 6)), " ", recordWords(record, (node) => app.peerName(node), remote)));
  element.append(...parts(app, swarm, record));
  return element;
}

function parts(app: App, swarm: Swarm, record: Record): HTMLElement[] {
  switch (record.kind) {
    case Kind.Sent:
    case Kind.Received:
      return [byteView(explainMessage(record))];
    case Kind.Opened:
      return handshakes(app, swarm, record);
    case Kind.Announce:
      return [record.announce && record.announce.bytes.length > 0 ? byteView(explainRequest(record.announce.bytes)) : note("The bytes of this announce are not in the trace.")];
    case Kind.Reply:
      return [record.reply && record.reply.bytes.length > 0 ? byteView(explainReply(record.reply.bytes)) : note("The bytes of this reply are not in the trace.")];
    case Kind.Choked:
      return [note("Every ten seconds a peer ranks those who want its pieces by what they gave it lately, and lets the best ask; the rest are choked. The message goes out with the decision.")];
    case Kind.Unchoked:
      return [note("Regular slots go to those who gave most lately; one slot goes round by chance (optimistic), so that newcomers can show what they give.")];
    case Kind.Picked:
      return [note("The piece that is begun next. Rarest first keeps every piece in several hands; the very first are drawn by chance, so that a newcomer soon has something to give.")];
    default:
      return [];
  }
}

const note = (text: string): HTMLElement => h("p", { class: "note" }, text);

/** Whoever dialled speaks first. */
function handshakes(app: App, swarm: Swarm, record: Record): HTMLElement[] {
  const us = swarm.nodes[record.node];
  const them = swarm.nodes[record.remote];
  const infoHash = fromHex(swarm.header.content.info_hash);
  if (!us || !them || infoHash.length !== 20) return [note("Who is at the ends of this link is not in the trace.")];
  const ours = explainHandshake(handshakeBytes(us.reserved, infoHash, us.peerId));
  const theirs = explainHandshake(handshakeBytes(record.bytes, infoHash, them.peerId));
  ours.title = `handshake of ${app.peerName(us.id)}`;
  theirs.title = `handshake of ${app.peerName(them.id)}`;
  return (record.reason === 1 ? [ours, theirs] : [theirs, ours]).map(byteView);
}

export function fromHex(text: string): Uint8Array {
  const pairs = text.match(/[0-9a-fA-F]{2}/g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}
