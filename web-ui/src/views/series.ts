// The samples of a run as columns of numbers for the time lines. Pure; rates are differences between samples.
import type { Group } from "../trace/header.js";
import type { Sample } from "../trace/records.js";

export interface Line {
  label: string;
  /** Index of the group whose colour it takes, or null for the whole swarm. */
  group: number | null;
  dashed: boolean;
  values: (number | null)[];
}

export interface Chart {
  name: string;
  unit: "rate" | "count";
  lines: Line[];
  bars?: boolean;
}

export interface Series {
  /** Seconds. */
  times: number[];
  charts: Chart[];
}

/** More points than these are thinned: a chart is not wider. */
const MOST_POINTS = 4000;

export function seriesOf(all: readonly { time: number; what: Sample }[], groups: readonly Group[]): Series {
  const stride = Math.max(1, Math.ceil(all.length / MOST_POINTS));
  const samples = stride === 1 ? all : all.filter((_, index) => index % stride === 0 || index === all.length - 1);
  const times = samples.map(({ time }) => time / 1e6);
  const each = (pick: (sample: Sample) => number): number[] => samples.map(({ what }) => pick(what));
  const of = (group: number, pick: (sample: Sample["groups"][number]) => number): number[] =>
    each((sample) => (sample.groups[group] ? pick(sample.groups[group]) : 0));
  const perSecond = (values: number[]): (number | null)[] =>
    values.map((value, index) => (index === 0 ? null : Math.max(0, value - values[index - 1]) / Math.max(1e-6, times[index] - times[index - 1])));

  const received: Line[] = [];
  const size: Line[] = [];
  const done: Line[] = [];
  groups.forEach((group, index) => {
    const downloads = of(index, (sample) => sample.received);
    const uploads = of(index, (sample) => sample.sent);
    if (downloads.some((value) => value > 0)) received.push({ label: `${group.name} down`, group: index, dashed: false, values: perSecond(downloads) });
    if (uploads.some((value) => value > 0)) received.push({ label: `${group.name} up`, group: index, dashed: true, values: perSecond(uploads) });
    const leechers = of(index, (sample) => sample.leechers);
    const seeds = of(index, (sample) => sample.seeds);
    if (leechers.some((value) => value > 0)) size.push({ label: `${group.name} leeching`, group: index, dashed: false, values: leechers });
    if (seeds.some((value) => value > 0)) size.push({ label: `${group.name} seeding`, group: index, dashed: true, values: seeds });
    const completed = of(index, (sample) => sample.completed);
    if (completed.some((value) => value > 0)) done.push({ label: group.name, group: index, dashed: false, values: completed });
  });
  const announces = each((sample) => sample.announces);
  return {
    times,
    charts: [
      { name: "Rates", unit: "rate", lines: [...received, { label: "uplinks together", group: null, dashed: true, values: each((sample) => sample.uplinks) }] },
      { name: "Swarm size", unit: "count", lines: size },
      { name: "Completed", unit: "count", lines: done },
      { name: "Copies of the rarest piece", unit: "count", lines: [{ label: "copies", group: null, dashed: false, values: each((sample) => sample.rarest) }] },
      { name: "Announces per second", unit: "count", bars: true, lines: [{ label: "announces", group: null, dashed: false, values: perSecond(announces) }] },
    ],
  };
}

/** The index of the last sample at or before a time in seconds. */
export function indexAt(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
