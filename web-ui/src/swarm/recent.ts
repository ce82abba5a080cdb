// What passed in the last two seconds of the trace's own time: the rates that are drawn as widths of lines.
import type { Link, Node } from "./model.js";

export const WINDOW_US = 2_000_000;

export class Recent {
  private times: number[] = [];
  private links: Link[] = [];
  /** Bytes; negative where they were received. */
  private bytes: number[] = [];
  private head = 0;

  constructor(private readonly nodes: readonly (Node | undefined)[]) {}

  add(time: number, link: Link, bytes: number, sent: boolean): void {
    this.times.push(time);
    this.links.push(link);
    this.bytes.push(sent ? bytes : -bytes);
    this.count(link, sent ? bytes : -bytes, 1);
  }

  /** Takes off what is older than two seconds. */
  expire(now: number): void {
    const limit = now - WINDOW_US;
    while (this.head < this.times.length && this.times[this.head] <= limit) {
      this.count(this.links[this.head], this.bytes[this.head], -1);
      this.head += 1;
    }
    if (this.head > 4096 && this.head * 2 > this.times.length) {
      this.times.splice(0, this.head);
      this.links.splice(0, this.head);
      this.bytes.splice(0, this.head);
      this.head = 0;
    }
  }

  private count(link: Link, bytes: number, sign: number): void {
    const node = this.nodes[link.node];
    if (bytes >= 0) {
      link.recentOut += sign * bytes;
      if (node) node.recentOut += sign * bytes;
    } else {
      link.recentIn -= sign * bytes;
      if (node) node.recentIn -= sign * bytes;
    }
  }
}

/** Bytes per second from what passed in the window. */
export const rateOf = (recent: number): number => (recent * 1_000_000) / WINDOW_US;
