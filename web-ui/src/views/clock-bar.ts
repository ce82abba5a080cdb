// The clock at the foot of the page: play, step, speed, and the slider over a picture of how much happened when, with
// keyframes, faults and gaps marked.
import type { App } from "../ui/app.js";
import { SPEEDS } from "../ui/clock.js";
import { context, fill, fit, h, say } from "../ui/dom.js";
import { clock, seconds } from "../ui/numbers.js";
import { faded } from "../ui/theme.js";

/** Finest step of the slider. */
const STEPS = 10_000;

const PLAY = "M4 2 L14 8 L4 14 Z";
const PAUSE = "M4 2 H7 V14 H4 Z M10 2 H13 V14 H10 Z";
const BACK = "M12 3 L6 8 L12 13 Z M3 3 H5 V13 H3 Z";
const ON = "M4 3 L10 8 L4 13 Z M11 3 H13 V13 H11 Z";

/** A shape of 16 by 16: no font has to have it. */
function icon(shape: string): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", shape);
  svg.append(path);
  return svg;
}

export class ClockBar {
  readonly element: HTMLElement;
  private readonly play = h("button", { type: "button", class: "play", "aria-label": "Play" });
  private readonly slider = h("input", { type: "range", min: 0, max: STEPS, step: 1, value: 0, "aria-label": "Time" });
  private readonly canvas = h("canvas", { "aria-hidden": "true" });
  private readonly time = h("output", { class: "now" });
  private readonly total = h("span", { class: "total" });
  private readonly speed = h("select", { "aria-label": "Speed" });
  private readonly live = h("button", { type: "button", class: "live", hidden: true }, "live");
  private drawn = "";
  private playing: boolean | null = null;

  constructor(private readonly app: App) {
    fill(this.speed, ...SPEEDS.map((speed) => h("option", { value: speed }, `${speed}×`)));
    this.speed.addEventListener("change", () => this.choose(Number(this.speed.value)));
    this.slider.addEventListener("input", () => app.clock.seek((Number(this.slider.value) / STEPS) * app.clock.end));
    this.play.addEventListener("click", () => app.togglePlay());
    this.live.addEventListener("click", () => app.clock.follow());
    const button = (label: string, shape: string, act: () => void): HTMLElement => h("button", { type: "button", "aria-label": label, title: label, onclick: act }, icon(shape));
    this.element = h("footer", { class: "clock", "aria-label": "Clock" },
      h("div", { class: "controls" }, button("Step back", BACK, () => app.step(false)), this.play, button("Step on", ON, () => app.step(true)),
        h("label", { class: "speed" }, h("span", { class: "sr" }, "Speed"), this.speed), this.live),
      h("div", { class: "track" }, this.canvas, this.slider), h("div", { class: "times" }, this.time, this.total));
  }

  private choose(speed: number): void {
    this.app.chooseSpeed(speed);
    if (this.app.session?.controls) this.app.remote?.send({ do: "speed", value: speed });
  }

  draw(app: App): void {
    const { clock: now, recording } = app;
    if (this.playing !== now.playing) {
      this.playing = now.playing;
      fill(this.play, icon(now.playing ? PAUSE : PLAY));
      this.play.setAttribute("aria-label", now.playing ? "Pause" : "Play");
      this.play.title = now.playing ? "Pause (space)" : "Play (space)";
    }
    const share = now.end === 0 ? 0 : now.time / now.end;
    const value = String(Math.round(share * STEPS));
    if (this.slider.value !== value) this.slider.value = value;
    this.slider.setAttribute("aria-valuetext", seconds(now.time, 2));
    say(this.time, clock(now.time));
    say(this.total, `of ${clock(now.end)}`);
    if (document.activeElement !== this.speed && Number(this.speed.value) !== now.speed) this.speed.value = String(now.speed);
    this.live.hidden = app.session?.mode !== "live" || recording.closed;
    this.live.setAttribute("aria-pressed", now.following ? "true" : "false");
    this.paint(app, share);
  }

  private paint(app: App, share: number): void {
    const size = fit(this.canvas);
    if (!size) return;
    const { recording, theme, clock: now } = app;
    const key = `${size.width} ${Math.round(share * size.width * 2)} ${recording.revision} ${theme.dark}`;
    if (key === this.drawn) return;
    this.drawn = key;
    const brush = context(this.canvas);
    brush.setTransform(size.scale, 0, 0, size.scale, 0, 0);
    brush.clearRect(0, 0, size.width, size.height);
    const x = (time: number): number => (now.end === 0 ? 0 : (time / now.end) * size.width);
    const base = size.height - 8;
    this.paintActivity(brush, app, x, base, share * size.width);
    brush.fillStyle = faded(theme.dim, 0.75);
    for (const time of recording.keyframes) brush.fillRect(x(time) - 0.5, base + 2, 1, 4);
    for (const { time, what } of recording.faults) {
      brush.fillStyle = theme.alarm;
      brush.fillRect(x(time) - 1, 2, 2, base - 2);
      if (what.phase !== 1) brush.fillRect(x(time) - 1, 2, 7, 5);
    }
    for (const gap of recording.gaps) {
      brush.fillStyle = faded(theme.alarm, 0.25);
      brush.fillRect(x(gap.from), 0, Math.max(2, x(gap.to) - x(gap.from)), base);
    }
    brush.fillStyle = theme.ink;
    brush.fillRect(share * size.width - 1, 0, 2, size.height);
  }

  private paintActivity(brush: CanvasRenderingContext2D, app: App, x: (time: number) => number, base: number, now: number): void {
    const { bins, width } = app.recording.activity;
    let most = 1;
    for (const bin of bins) most = Math.max(most, bin);
    for (const past of [false, true]) {
      brush.fillStyle = past ? faded(app.theme.accent, 0.75) : faded(app.theme.dim, 0.35);
      brush.beginPath();
      bins.forEach((bin, index) => {
        if (bin === 0) return;
        const from = x(index * width);
        const to = x((index + 1) * width);
        const cut = past ? Math.min(to, now) : to;
        const start = past ? from : Math.max(from, now);
        if (cut <= start) return;
        const high = Math.max(1, Math.sqrt(bin / most) * (base - 3));
        brush.rect(start, base - high, Math.max(0.5, cut - start - 0.25), high);
      });
      brush.fill();
    }
  }
}
