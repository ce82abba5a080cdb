// Two states side by side: what differs, in words. For tests that hold a keyframe against the records before it.
import { openLinks } from "../src/swarm/model.js";
import type { Swarm } from "../src/swarm/state.js";

/** The first few differences; empty if the states are the same. */
export function differences(one: Swarm, other: Swarm, most = 8): string[] {
  const found: string[] = [];
  const hold = (what: string, a: unknown, b: unknown): void => {
    if (found.length < most && JSON.stringify(a) !== JSON.stringify(b)) found.push(`${what}: ${JSON.stringify(a)} against ${JSON.stringify(b)}`);
  };
  hold("present", one.present, other.present);
  hold("complete", one.complete, other.complete);
  hold("availability", Array.from(one.availability), Array.from(other.availability));
  hold("sample", one.sample, other.sample);
  for (let id = 0; id < Math.max(one.nodes.length, other.nodes.length); id += 1) {
    const a = one.nodes[id];
    const b = other.nodes[id];
    hold(`node ${id}`, a !== undefined, b !== undefined);
    if (!a || !b) continue;
    for (const key of ["group", "level", "present", "complete", "joinedAt", "completedAt", "leftAt", "up", "down", "haveCount", "sent", "received"] as const) {
      hold(`node ${id} ${key}`, a[key], b[key]);
    }
    for (const key of ["peerId", "reserved", "have"] as const) hold(`node ${id} ${key}`, Array.from(a[key]), Array.from(b[key]));
    const links = openLinks(a);
    hold(`node ${id} links`, links.map((link) => link.conn), openLinks(b).map((link) => link.conn));
    for (const link of links) {
      const twin = other.link(id, link.conn);
      const plain = ({ recentIn: _in, recentOut: _out, reserved, ...rest }: typeof link): object => ({ ...rest, reserved: Array.from(reserved) });
      if (twin) hold(`node ${id} link ${link.conn}`, plain(link), plain(twin));
    }
  }
  return found;
}
