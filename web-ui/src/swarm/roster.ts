// Who belongs to which group, in the order in which they first appear in the file. A node keeps its place for good, so
// that the picture of the swarm stays put whatever moment it shows.
import { Level } from "./model.js";

export class Roster {
  /** Node numbers by group. */
  readonly groups: number[][] = [];
  /** Of these the ones whose pieces are recorded, by group; and how many they are. */
  readonly detailed: number[][] = [];
  detailedCount = 0;
  /** Of each node its group and its place in it. */
  readonly placeOf = new Map<number, { group: number; slot: number; level: number }>();
  /** Grows with each node. */
  revision = 0;

  add(node: number, group: number, level: number): void {
    if (this.placeOf.has(node) || group >= 4096) return;
    while (this.groups.length <= group) {
      this.groups.push([]);
      this.detailed.push([]);
    }
    this.placeOf.set(node, { group, slot: this.groups[group].length, level });
    this.groups[group].push(node);
    if (level >= Level.Pieces) {
      this.detailed[group].push(node);
      this.detailedCount += 1;
    }
    this.revision += 1;
  }
}
