// Time lines of the whole run, with the moment of the clock across all of them. A press or a drag moves the clock there.
import uPlot from "uplot";
import type { App, Panel } from "../ui/app.js";
import { fill, h } from "../ui/dom.js";
import { count, rate } from "../ui/numbers.js";
import { faded, groupColour, type Theme } from "../ui/theme.js";
import { indexAt, seriesOf, type Chart, type Series } from "./series.js";

const HIGH = 158;
const REDRAW_MS = 500;
const SIDE = 76;

interface Drawn {
  plot: uPlot;
  needle: HTMLElement;
}

export class LinesView implements Panel {
  readonly element: HTMLElement;
  private readonly charts = h("div", { class: "charts" });
  private readonly nothing = h("p", { class: "empty", hidden: true }, "This trace has no samples of the swarm yet: time lines are drawn from them.");
  private drawn: Drawn[] = [];
  private series: Series = { times: [], charts: [] };
  private builtFor = "";
  private dataFor = "";
  private dataAt = 0;
  private needleAt = -1;
  private hovering = false;

  constructor(private readonly app: App) {
    this.element = h("section", { class: "view lines", "aria-label": "Time lines" }, this.nothing, this.charts);
    this.charts.addEventListener("pointerenter", () => { this.hovering = true; });
    this.charts.addEventListener("pointerleave", () => { this.hovering = false; this.needleAt = -1; });
  }

  draw(app: App, now: number): void {
    const width = this.charts.clientWidth;
    const { recording } = app;
    if (width === 0 || !recording.header) return;
    this.nothing.hidden = recording.samples.length > 0;
    if (recording.samples.length === 0) return;
    const dataKey = String(recording.samples.length);
    if (dataKey !== this.dataFor && (now - this.dataAt > REDRAW_MS || this.dataFor === "")) {
      this.dataFor = dataKey;
      this.dataAt = now;
      this.series = seriesOf(recording.samples, recording.header.groups);
      if (this.builtFor === this.shape(app, width)) this.series.charts.forEach((chart, index) => this.drawn[index].plot.setData(dataOf(this.series, chart)));
    }
    const shape = this.shape(app, width);
    if (shape !== this.builtFor) this.build(app, width, shape);
    this.moveNeedles(app);
  }

  private shape(app: App, width: number): string {
    return `${width} ${app.theme.dark} ${this.series.charts.map((chart) => chart.lines.length).join()}`;
  }

  private build(app: App, width: number, shape: string): void {
    this.builtFor = shape;
    this.needleAt = -1;
    for (const { plot } of this.drawn) plot.destroy();
    const columns = width > 900 ? 2 : 1;
    const wide = Math.floor((width - (columns - 1) * 20) / columns);
    this.charts.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    const boxes: HTMLElement[] = [];
    this.drawn = this.series.charts.map((chart) => {
      const box = h("figure", { class: "chart" }, h("figcaption", {}, chart.name));
      boxes.push(box);
      // Places are known once a plot has measured itself, and change with its scale.
      const moved = (): void => { this.needleAt = -1; };
      const hooks = { ready: [moved], setScale: [moved] };
      const across = columns > 1 && boxes.length === 1;
      if (across) box.style.gridColumn = "1 / -1";
      const plot = new uPlot({ ...options(chart, app.theme, across ? width : wide), hooks }, dataOf(this.series, chart), box);
      const needle = h("div", { class: "needle" });
      plot.over.append(needle);
      this.seekOn(plot);
      return { plot, needle };
    });
    fill(this.charts, ...boxes);
  }

  private seekOn(plot: uPlot): void {
    const seek = (event: PointerEvent): void => {
      const box = plot.over.getBoundingClientRect();
      this.app.clock.seek(plot.posToVal(event.clientX - box.left, "x") * 1e6);
    };
    plot.over.addEventListener("pointerdown", (event) => {
      plot.over.setPointerCapture(event.pointerId);
      seek(event);
    });
    plot.over.addEventListener("pointermove", (event) => {
      if (event.buttons === 1) seek(event);
    });
  }

  private moveNeedles(app: App): void {
    const time = app.clock.time;
    if (time === this.needleAt) return;
    this.needleAt = time;
    const index = indexAt(this.series.times, time / 1e6);
    for (const { plot, needle } of this.drawn) {
      const x = plot.valToPos(time / 1e6, "x");
      needle.style.transform = `translateX(${x}px)`;
      needle.hidden = x < -1 || x > plot.over.clientWidth + 1;
      if (!this.hovering && plot.legend.idx !== index) plot.setLegend({ idx: index });
    }
  }

}

function dataOf(series: Series, chart: Chart): uPlot.AlignedData {
  return [series.times, ...chart.lines.map((line) => line.values)] as uPlot.AlignedData;
}

function options(chart: Chart, theme: Theme, width: number): uPlot.Options {
  const value = (raw: number): string => (chart.unit === "rate" ? rate(raw) : count(Math.round(raw * 100) / 100));
  const axis = { stroke: theme.dim, grid: { stroke: theme.line, width: 1 }, ticks: { stroke: theme.line, width: 1 }, font: "11px system-ui, sans-serif" };
  return {
    width, height: HIGH, padding: [8, 8, 0, 0],
    cursor: { sync: { key: "swarm" }, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { x: { time: false }, y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.08 : 1] } },
    axes: [
      { ...axis, size: 30, values: (_plot, values) => values.map((raw) => clockLabel(raw)) },
      { ...axis, size: SIDE, values: (_plot, values) => values.map(value) },
    ],
    series: [
      { label: "time", value: (_plot, raw) => (raw === null ? "" : `${raw.toFixed(1)} s`) },
      ...chart.lines.map((line): uPlot.Series => {
        const colour = line.group === null ? theme.ink : groupColour(theme, line.group);
        return {
          label: line.label, stroke: colour, width: line.group === null ? 1.2 : 1.8, dash: line.dashed ? [5, 4] : undefined,
          points: { show: false }, value: (_plot, raw) => (raw === null ? "" : value(raw)),
          ...(chart.bars ? { paths: uPlot.paths.bars?.({ size: [0.8, 24] }), fill: faded(colour, 0.35), width: 0.5 } : {}),
          ...(chart.unit === "count" && !chart.bars ? { paths: uPlot.paths.stepped?.({ align: 1 }) } : {}),
        };
      }),
    ],
  };
}

function clockLabel(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 6) / 10} min`;
  return `${Math.round(seconds / 360) / 10} h`;
}
