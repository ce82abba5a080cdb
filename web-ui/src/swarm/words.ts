// The words for the numbers of docs/trace.md, in the manner of a person who explains.
import { Kind, type Record } from "../trace/records.js";

export const LEAVE = ["done", "crashed", "gave up", "lost from sight"];

const CLOSED: { [reason: number]: string } = {
  0: "the remote closed it, or it broke", 1: "banned: a piece with bytes of this remote was bad", 2: "a second connection to the same peer",
  3: "no room for more connections", 4: "nothing was said for too long", 5: "both are seeds now", 6: "of no use to either",
  7: "the disk failed", 8: "leaving", 9: "this node is gone", 16: "broke the protocol: piece out of range",
  17: "broke the protocol: the bitfield shrank", 18: "broke the protocol: malformed bitfield", 19: "broke the protocol: bad request",
  20: "broke the protocol: an extension nobody agreed to", 21: "broke the protocol: content nobody asked for", 22: "broke the protocol: a flood of messages",
};
export const UNCHOKED = ["among the best by rate", "optimistic: a chance for a newcomer", "fast, but not interested now"];
export const CHOKED = ["others rank before it", "snubbed us: it sent nothing for a while", "not interested in anything we have"];
export const PICKED = ["random, among the first", "rarest first", "random", "in order", "first or last of the content"];
export const FAULTS = ["tracker down", "partition", "connection reset", "crash", "slow disk", "full disk"];
export const ANNOUNCED = ["regular", "started", "completed", "stopped"];
export const OUTCOMES = ["answered", "unreachable", "refused"];
export const LEVELS = ["seen by others only", "comings and goings", "pieces too", "every message"];

export const MESSAGES: { [id: number]: string } = {
  255: "keep-alive", 0: "choke", 1: "unchoke", 2: "interested", 3: "not interested", 4: "have", 5: "bitfield", 6: "request",
  7: "piece", 8: "cancel", 9: "port", 13: "suggest", 14: "have all", 15: "have none", 16: "reject", 17: "allowed fast", 20: "extended",
};

export const closedWords = (reason: number): string => CLOSED[reason] ?? `reason ${reason}`;

/** Why a link is choked or not, as the one end decided last. */
export function whyWords(why: number, choke: boolean): string {
  if (why === 255) return "links begin choked";
  return choke ? `choked: ${CHOKED[why] ?? `reason ${why}`}` : `unchoked: ${UNCHOKED[why] ?? `reason ${why}`}`;
}

/** What a message says, without who says it. */
export function messageWords(record: Record): string {
  const name = MESSAGES[record.message] ?? `message ${record.message}`;
  switch (record.message) {
    case 4: case 13: case 17:
      return `${name}: piece ${record.piece}`;
    case 6: case 7: case 8: case 16:
      return `${name}: piece ${record.piece}, bytes ${record.begin} to ${record.begin + record.length - 1}`;
    case 5:
      return `${name}: ${record.bytes.length} bytes`;
    case 9:
      return `${name}: ${record.length}`;
    case 20:
      return record.bytes[0] === 0 ? "extended: handshake" : `extended: id ${record.bytes[0] ?? 0}`;
    default:
      return name;
  }
}

/** One record as a sentence. `peer` names a node, `known` is the other end of the link where that is known. */
export function recordWords(record: Record, peer: (node: number) => string, known: string | null): string {
  const remote = known ?? `the other end of link ${record.conn}`;
  const who = record.node >= 0 ? peer(record.node) : "";
  switch (record.kind) {
    case Kind.Join: return `${who} joins`;
    case Kind.Leave: return `${who} leaves: ${LEAVE[record.reason] ?? record.reason}`;
    case Kind.Dial: return `${who} dials ${peer(record.remote)}`;
    case Kind.DialFailed: return `${who} cannot reach ${peer(record.remote)}`;
    case Kind.Opened: return record.reason === 1 ? `${who} is connected to ${peer(record.remote)}` : `${who} accepts ${peer(record.remote)}`;
    case Kind.Closed: return `${who} closes ${known === null ? `link ${record.conn}` : `the link to ${known}`}: ${closedWords(record.reason)}`;
    case Kind.Sent: return `${who} sends ${remote} ${messageWords(record)}`;
    case Kind.Received: return `${who} receives from ${remote} ${messageWords(record)}`;
    case Kind.Unchoked: return `${who} decides to unchoke ${remote}: ${UNCHOKED[record.reason] ?? record.reason}`;
    case Kind.Choked: return `${who} decides to choke ${remote}: ${CHOKED[record.reason] ?? record.reason}`;
    case Kind.Picked:
      return `${who} picks piece ${record.piece} for ${remote}: ${PICKED[record.reason] ?? record.reason}, ${record.availability} have it`;
    case Kind.Snubbed: return `${who} is snubbed by ${remote}`;
    case Kind.Banned: return `${who} bans ${remote} for piece ${record.piece}`;
    case Kind.Endgame: return `${who} enters the endgame: the last blocks are asked of several`;
    case Kind.Verified: return record.reason ? `${who} has piece ${record.piece}, checked` : `${who} finds piece ${record.piece} bad`;
    case Kind.Completed: return `${who} is complete`;
    case Kind.Announce: return `${who} announces to the tracker: ${ANNOUNCED[record.announce?.event ?? 0]}`;
    case Kind.Reply: {
      const reply = record.reply;
      if (!reply || reply.outcome !== 0) return `${who} hears of the tracker: ${OUTCOMES[reply?.outcome ?? 1]}`;
      return `${who} hears of the tracker: ${reply.peers} peers, again in ${reply.interval} s`;
    }
    case Kind.Fault: {
      const phase = ["begins", "ends", "at once"][record.fault?.phase ?? 2];
      return `fault ${phase}: ${FAULTS[record.fault?.kind ?? 0]} ${record.fault?.text ?? ""}`.trim();
    }
    case Kind.Lost: return `${record.length} records could not be kept`;
    default: return "the swarm is counted";
  }
}
