// Who belongs to which group, in the order in which they first appear in the file. A node keeps its place for good, so
// that the picture of the swarm stays put whatever moment it shows.

export class Roster {
  /** Node numbers by group. */
  readonly groups: number[][] = [];
  /** Of each node its group and its place in it. */
  readonly placeOf = new Map<number, { group: number; slot: number; level: number }>();
  /** Grows with each node. */
  revision = 0;

  add(node: number, group: number, level: number): void {
    if (this.placeOf.has(node) || group >= 4096) return;
    while (this.groups.length <= group) this.groups.push([]);
    this.placeOf.set(node, { group, slot: this.groups[group].length, level });
    this.groups[group].push(node);
    this.revision += 1;
  }
}
