// Brings the swarm to a moment: from the nearest keyframe before it, or on from where it is. In slices; forward is cheap.
import { EVENTS, KEYFRAME } from "../trace/frames.js";
import { Records } from "../trace/records.js";
import { readKeyframe } from "./keyframe.js";
import { WINDOW_US } from "./recent.js";
import type { Recording } from "./recording.js";
import { Swarm } from "./state.js";

/** Records between two looks at the clock. */
const A_FEW = 2000;

export class Player {
  swarm: Swarm;
  /** Grows with each change of the swarm. */
  revision = 0;
  private target = 0;
  /** The entry that is read next, or in the middle of which `records` stands. */
  private entry = 0;
  private records: Records | null = null;
  /** A record that was read and lies beyond the target. */
  private ahead = false;

  constructor(readonly recording: Recording) {
    if (!recording.header) throw new Error("a player needs a header");
    this.swarm = new Swarm(recording.header);
  }

  /** The swarm stands where it was asked to. */
  get there(): boolean {
    return this.swarm.time >= this.target && !this.behind();
  }

  /** Asks for a moment; `work` brings the swarm there. */
  goTo(time: number): void {
    this.target = time;
    const from = this.bestKeyframe(time);
    const back = time < this.swarm.time;
    const ahead = from >= 0 && from > this.entry && this.recording.entries[from].start > this.swarm.time;
    if (back || ahead) this.startAt(from);
  }

  /** Works for about that long; true once the swarm stands at the target. */
  work(milliseconds: number, now: () => number = () => performance.now()): boolean {
    const until = now() + milliseconds;
    while (!this.step(A_FEW)) if (now() >= until) return false;
    return true;
  }

  /**
   * The last keyframe from which two seconds, over which rates are taken, can still be seen. A near one that lies ahead is
   * not worth it: records in between are read as fast.
   */
  private bestKeyframe(time: number): number {
    const { entries } = this.recording;
    let best = -1;
    for (let index = firstAfter(this.recording, time) - 1; index >= 0; index -= 1) {
      const entry = entries[index];
      if (entry.kind !== KEYFRAME || entry.start > time) continue;
      best = index;
      if (entry.afterGap || entry.start <= time - WINDOW_US) break;
    }
    return best;
  }

  private startAt(index: number): void {
    const { entries, header } = this.recording;
    if (!header) return;
    this.records = null;
    this.ahead = false;
    this.entry = index + 1;
    this.swarm = index < 0 ? new Swarm(header) : readKeyframe(entries[index].body, header);
    this.revision += 1;
  }

  private behind(): boolean {
    const next = this.recording.entries[this.entry];
    if (this.records) return !this.ahead || this.records.record.time <= this.target;
    return next !== undefined && next.start <= this.target;
  }

  /** Applies at most that many records; true at the target. */
  private step(most: number): boolean {
    const { entries } = this.recording;
    for (let done = 0; done < most; done += 1) {
      if (!this.records) {
        const entry = entries[this.entry];
        if (!entry || entry.start > this.target) return this.arrive();
        if (entry.kind !== EVENTS) {
          if (entry.afterGap) this.startAt(this.entry);
          else this.entry += 1;
          continue;
        }
        this.records = new Records(entry.body);
        this.ahead = false;
      }
      if (!this.ahead && !this.records.next()) {
        this.records = null;
        this.entry += 1;
        continue;
      }
      this.ahead = true;
      if (this.records.record.time > this.target) return this.arrive();
      this.swarm.apply(this.records.record);
      this.ahead = false;
      this.revision += 1;
    }
    return false;
  }

  private arrive(): boolean {
    if (this.swarm.time < this.target) this.revision += 1;
    this.swarm.moveTo(this.target);
    return true;
  }
}

/** The index of the first entry that begins after a time. Entries are in the order of time. */
export function firstAfter(recording: Recording, time: number): number {
  const { entries } = recording;
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle].start <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}
