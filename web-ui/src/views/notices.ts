// What the reader must know about the trace itself: that it is foreign, cut off or broken, that it is still being read, that
// something was left out. Says what can be seen all the same.
import type { Recording } from "../swarm/recording.js";
import type { App } from "../ui/app.js";
import { fill, h } from "../ui/dom.js";
import { bytes, clock, count, plural } from "../ui/numbers.js";

export interface Notice {
  kind: "error" | "warning" | "progress";
  text: string;
}

export function noticesOf(recording: Recording, expected: number, failure: string | null): Notice[] {
  const notices: Notice[] = [];
  const { trouble, header } = recording;
  const readable = header ? ` What lies before it is shown: ${plural(recording.totals.records, "record")}, up to ${clock(recording.end)}.` : "";
  if (trouble) {
    const where = trouble.kind === "broken" ? ` (byte ${count(trouble.offset)})` : "";
    notices.push({ kind: "error", text: `${capital(trouble.message)}${where}.${trouble.kind === "broken" ? readable : ""}` });
  } else if (recording.cutShort) {
    const rest = recording.left > 0 ? `, and ${bytes(recording.left)} of an unfinished frame follow` : "";
    notices.push({ kind: "warning", text: `This trace has no end: it was cut short or is still being written${rest}. Shown is what is whole: ${plural(recording.totals.records, "record")}, up to ${clock(recording.end)}.` });
  } else if (recording.closed && recording.idle && !header && recording.bytes > 0) {
    notices.push({ kind: "error", text: "This trace is too short to be read: it ends before its header does." });
  } else if (recording.ended && !recording.ended.finished) {
    notices.push({ kind: "warning", text: "The run was interrupted; the trace holds it up to there." });
  }
  if (failure) notices.push({ kind: "error", text: failure });
  if (recording.totals.lost > 0) notices.push({ kind: "warning", text: `${plural(recording.totals.lost, "record")} could not be kept while the run was recorded.` });
  if (recording.gaps.length > 0) notices.push({ kind: "warning", text: `This page could not keep up ${plural(recording.gaps.length, "time")}: the gaps are marked on the clock.` });
  if (!recording.closed || !recording.idle) {
    if (expected > 0 && !trouble) notices.push({ kind: "progress", text: `Reading: ${bytes(recording.bytes)} of ${bytes(expected)}` });
  }
  return notices;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export class Notices {
  readonly element = h("div", { class: "notices", role: "status", "aria-live": "polite" });
  private shown = "";

  draw(app: App): void {
    const notices = noticesOf(app.recording, app.expected, app.failure);
    const key = notices.map((notice) => notice.text).join("\n");
    if (key === this.shown) return;
    this.shown = key;
    fill(this.element, ...notices.map((notice) => h("p", { class: `notice ${notice.kind}` }, notice.text)));
  }
}
