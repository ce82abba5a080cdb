// Who gives to whom at this moment, and who would like to be given: taken from the links of the recorded peers.
import { Level, openLinks, type Link } from "../swarm/model.js";
import { rateOf } from "../swarm/recent.js";
import type { Swarm } from "../swarm/state.js";

export interface Flow {
  from: number;
  to: number;
  /** Bytes per second over the last two seconds. */
  rate: number;
}

/** Flows with the largest first. A link seen from both its ends is counted at the receiving one. */
export function flowsOf(swarm: Swarm): Flow[] {
  const flows: Flow[] = [];
  for (const node of swarm.nodes) {
    if (!node?.present || node.level !== Level.Messages) continue;
    if (node.recentIn === 0 && node.recentOut === 0) continue;
    for (const link of node.links) {
      if (link === undefined) continue;
      if (link.recentIn > 0) flows.push({ from: link.remote, to: node.id, rate: rateOf(link.recentIn) });
      if (link.recentOut > 0 && swarm.nodes[link.remote]?.level !== Level.Messages) {
        flows.push({ from: node.id, to: link.remote, rate: rateOf(link.recentOut) });
      }
    }
  }
  return flows.sort((one, other) => other.rate - one.rate);
}

/** Somebody would ask and may not: it is interested and choked. */
export interface Wish {
  /** Who chokes. */
  from: number;
  to: number;
}

export function wishesOf(swarm: Swarm, only: number | null): Wish[] {
  const wishes: Wish[] = [];
  const look = (link: Link): void => {
    if (link.weInterested && link.remoteChokes && link.recentIn === 0) wishes.push({ from: link.remote, to: link.node });
    if (only !== null && link.remoteInterested && link.weChoke && link.recentOut === 0) wishes.push({ from: link.node, to: link.remote });
  };
  if (only !== null) {
    const node = swarm.nodes[only];
    if (node?.present) openLinks(node).forEach(look);
    return wishes;
  }
  for (const node of swarm.nodes) if (node?.present) openLinks(node).forEach(look);
  return wishes;
}
