// The matrix: a row for each peer, a column for each piece, and above it how many have each. Only what is in sight is drawn.
import type { Node } from "../swarm/model.js";
import { progress } from "../swarm/model.js";
import { has } from "../swarm/pieces.js";
import type { Swarm } from "../swarm/state.js";
import { SORTS, type Sort } from "../ui/address.js";
import type { App, Panel } from "../ui/app.js";
import { context, fill, fit, h, say } from "../ui/dom.js";
import { count, percent, plural } from "../ui/numbers.js";
import { faded, groupColour, rgb } from "../ui/theme.js";
import { columnsFor, inFlight, paintRow, range, rowsOf, scarcity, type Columns, type Palette, type Scarcity } from "./matrix-rows.js";
import { sampled } from "./shown.js";

const HEIGHTS = [3, 6, 12, 20];
const SORT_EVERY_MS = 250;
const WORDS: { [sort in Sort]: string } = { progress: "progress", group: "group", rate: "rate", join: "time of joining", number: "number" };

export class MatrixView implements Panel {
  readonly element: HTMLElement;
  private readonly top = h("canvas", { class: "availability", role: "img", "aria-label": "How many peers have each piece" });
  private readonly canvas = h("canvas", { class: "cells", role: "img", "aria-label": "Pieces by peer" });
  private readonly spacer = h("div", { class: "spacer" });
  private readonly scroller = h("div", { class: "scroller", tabindex: 0, "aria-label": "Rows of the matrix" }, this.spacer);
  private readonly tip = h("div", { class: "tip", role: "status", hidden: true });
  private readonly sort = h("select", { "aria-label": "Sort rows by" });
  private readonly group = h("select", { "aria-label": "Show group" });
  private readonly said = h("p", { class: "said", "data-count": "matrix" });
  private readonly note = h("p", { class: "note" });
  private readonly image = document.createElement("canvas");
  private rows: Node[] = [];
  private height: number | null = null;
  private rowHeight = 12;
  private sortedAt = -Infinity;
  private sortedFor = "";
  private drawn = "";
  private columns: Columns = { count: 1, pieces: 1 };
  private gutter = 110;
  private pointer: { x: number; y: number } | null = null;
  private groupsFor = "";

  constructor(private readonly app: App) {
    fill(this.sort, ...SORTS.map((sort) => h("option", { value: sort }, WORDS[sort])));
    this.sort.addEventListener("change", () => app.goTo({ sort: this.sort.value as Sort }));
    this.group.addEventListener("change", () => { this.sortedAt = -Infinity; app.changed(); });
    const mark = (kind: string, text: string): HTMLElement => h("li", {}, h("i", { class: `cell ${kind}`, "aria-hidden": "true" }), text);
    this.element = h("section", { class: "view matrix", "aria-label": "Pieces by peer" },
      h("div", { class: "toolbar" }, h("label", {}, "Sort by ", this.sort), h("label", {}, "Show ", this.group),
        h("span", { class: "zoom", role: "group", "aria-label": "Height of rows" },
          h("button", { type: "button", "aria-label": "Lower rows", onclick: () => this.zoom(-1) }, "−"),
          h("button", { type: "button", "aria-label": "Higher rows", onclick: () => this.zoom(1) }, "+")), this.said),
      h("ul", { class: "marks" }, mark("have", "has it (colour of its group)"), mark("flight", "asked for, on its way"), mark("rare", "lacks one of the rarest"), mark("none", "lacks it")),
      h("div", { class: "grid" }, this.top, this.scroller, this.canvas, this.tip), this.note);
    this.scroller.addEventListener("scroll", () => { this.drawn = ""; });
    for (const surface of [this.scroller as HTMLElement, this.top as HTMLElement]) {
      surface.addEventListener("pointermove", (event) => this.point(event));
      surface.addEventListener("pointerleave", () => { this.pointer = null; this.drawn = ""; });
      surface.addEventListener("click", (event) => this.choose(event));
    }
  }

  draw(app: App, now: number): void {
    const { swarm, player } = app;
    const size = fit(this.canvas);
    if (!swarm || !player || !size) return;
    this.sort.value = app.place.sort;
    this.listGroups(app);
    this.gutter = size.width < 480 ? 58 : 110;
    const key = `${player.revision} ${app.revision} ${size.width}x${size.height} ${app.hover}`;
    const sortKey = `${app.place.sort} ${this.group.value} ${swarm.present}`;
    if (sortKey !== this.sortedFor || (key !== this.drawn && now - this.sortedAt > SORT_EVERY_MS)) {
      this.sortedFor = sortKey;
      this.sortedAt = now;
      this.rows = rowsOf(swarm, app.place.sort, this.group.value === "" ? null : Number(this.group.value));
      this.drawn = "";
    } else if (key !== this.drawn) {
      this.rows = this.rows.map((row) => swarm.nodes[row.id] ?? row).filter((row) => row.present);
    }
    if (key === this.drawn) return;
    this.drawn = key;
    this.measure(size.height);
    const scarce = scarcity(swarm.availability);
    this.columns = columnsFor(swarm.pieceCount, (size.width - this.gutter) * size.scale);
    this.drawTop(app, swarm, scarce);
    this.drawCells(app, swarm, scarce, size);
    const nobody = scarce.nobody > 0 ? `; ${plural(scarce.nobody, "piece")} nobody here has` : "";
    say(this.said, `${plural(this.rows.length, "peer")} × ${plural(swarm.pieceCount, "piece")}; the rarest: ${plural(scarce.least, "copy", "copies")}${nobody}`);
    say(this.note, sampled(app.recording) ?? "");
    this.showTip(swarm);
  }

  /** Rows as high as fill the view, unless the reader chose. */
  private measure(height: number): void {
    const fitting = Math.max(3, Math.min(20, Math.floor(height / Math.max(1, this.rows.length))));
    this.rowHeight = this.height ?? fitting;
    this.spacer.style.height = `${this.rows.length * this.rowHeight}px`;
  }

  private zoom(step: number): void {
    const at = HEIGHTS.findIndex((height) => height >= this.rowHeight);
    const next = Math.max(0, Math.min(HEIGHTS.length - 1, (at < 0 ? HEIGHTS.length - 1 : at) + step));
    this.height = HEIGHTS[next];
    this.drawn = "";
  }

  private listGroups(app: App): void {
    const groups = app.recording.header?.groups ?? [];
    const key = groups.map((group) => group.name).join();
    if (key === this.groupsFor) return;
    this.groupsFor = key;
    fill(this.group, h("option", { value: "" }, "all groups"), ...groups.map((group, index) => h("option", { value: index }, group.name)));
  }

  private drawTop(app: App, swarm: Swarm, scarce: Scarcity): void {
    const size = fit(this.top);
    if (!size) return;
    const brush = context(this.top);
    const { theme } = app;
    brush.setTransform(size.scale, 0, 0, size.scale, 0, 0);
    brush.clearRect(0, 0, size.width, size.height);
    const width = size.width - this.gutter;
    const base = size.height - 4;
    const room = base - 14;
    for (let column = 0; column < this.columns.count; column += 1) {
      const [from, to] = range(this.columns, column);
      let least = Infinity;
      for (let piece = from; piece < to; piece += 1) least = Math.min(least, swarm.availability[piece]);
      const high = Math.max(least === 0 ? 0 : 1.5, (least / Math.max(1, scarce.most)) * room);
      const x = this.gutter + (column * width) / this.columns.count;
      const wide = width / this.columns.count;
      const rare = scarce.marked && least === scarce.least;
      brush.fillStyle = rare ? theme.alarm : faded(theme.dim, 0.6);
      brush.fillRect(x, base - high, Math.max(0.6, wide - (wide > 3 ? 1 : 0)), high);
      if (rare && wide >= 3) {
        brush.beginPath();
        brush.moveTo(x + wide / 2 - 3.5, base - high - 7);
        brush.lineTo(x + wide / 2 + 3.5, base - high - 7);
        brush.lineTo(x + wide / 2, base - high - 2);
        brush.fill();
      }
    }
    brush.fillStyle = theme.dim;
    brush.font = "11px system-ui, sans-serif";
    brush.textAlign = "left";
    brush.fillText("copies", 0, 22);
    brush.fillStyle = theme.ink;
    brush.fillText(scarce.least === scarce.most ? count(scarce.most) : `${count(scarce.least)} to ${count(scarce.most)}`, 0, 38);
  }

  private drawCells(app: App, swarm: Swarm, scarce: Scarcity, size: { width: number; height: number; scale: number }): void {
    const { theme } = app;
    const brush = context(this.canvas);
    brush.setTransform(size.scale, 0, 0, size.scale, 0, 0);
    brush.clearRect(0, 0, size.width, size.height);
    const first = Math.floor(this.scroller.scrollTop / this.rowHeight);
    const shown = this.rows.slice(first, first + Math.ceil(size.height / this.rowHeight) + 1);
    if (shown.length === 0 || swarm.pieceCount === 0) return;
    const rarest = new Uint8Array(swarm.pieceCount);
    if (scarce.marked) swarm.availability.forEach((copies, piece) => { rarest[piece] = copies === scarce.least ? 1 : 0; });
    const palette: Palette = { panel: rgb(theme.dark ? "#1d242d" : "#eceae2"), ink: rgb(theme.ink), alarm: rgb(theme.alarm), group: (index) => rgb(groupColour(theme, index)) };
    this.image.width = this.columns.count;
    this.image.height = shown.length;
    const picture = context(this.image);
    const data = picture.createImageData(this.columns.count, shown.length);
    const pixels = new Uint32Array(data.data.buffer);
    shown.forEach((node, row) => paintRow(pixels, row * this.columns.count, node, this.columns, rarest, palette));
    picture.putImageData(data, 0, 0);
    const y = first * this.rowHeight - this.scroller.scrollTop;
    const width = size.width - this.gutter;
    brush.imageSmoothingEnabled = false;
    brush.drawImage(this.image, this.gutter, y, width, shown.length * this.rowHeight);
    this.drawLines(brush, theme.panel, shown.length, y, width);
    this.drawLabels(brush, app, swarm, shown, y);
    this.drawChosen(brush, app, shown, y, width);
  }

  private drawLines(brush: CanvasRenderingContext2D, colour: string, rows: number, y: number, width: number): void {
    brush.fillStyle = colour;
    const wide = width / this.columns.count;
    if (this.rowHeight >= 6) for (let row = 1; row <= rows; row += 1) brush.fillRect(this.gutter, y + row * this.rowHeight - 1, width, 1);
    if (wide >= 5) for (let column = 1; column < this.columns.count; column += 1) brush.fillRect(this.gutter + column * wide - 0.5, y, 1, rows * this.rowHeight);
  }

  private drawLabels(brush: CanvasRenderingContext2D, app: App, swarm: Swarm, shown: readonly Node[], y: number): void {
    const every = Math.max(1, Math.ceil(11 / this.rowHeight));
    const bar = this.gutter > 80 ? 48 : 0;
    brush.font = "11px system-ui, sans-serif";
    brush.textBaseline = "middle";
    brush.textAlign = "right";
    shown.forEach((node, row) => {
      const middle = y + (row + 0.5) * this.rowHeight;
      const colour = groupColour(app.theme, node.group);
      if (row % every === 0) {
        brush.fillStyle = node.id === app.place.peer ? app.theme.ink : app.theme.dim;
        brush.fillText(String(node.id), this.gutter - bar - 14, middle);
      }
      if (bar > 0) {
        const high = Math.max(2, Math.min(6, this.rowHeight - 2));
        brush.fillStyle = faded(colour, 0.2);
        brush.fillRect(this.gutter - bar - 8, middle - high / 2, bar, high);
        brush.fillStyle = colour;
        brush.fillRect(this.gutter - bar - 8, middle - high / 2, bar * progress(node, swarm.pieceCount), high);
      }
    });
  }

  private drawChosen(brush: CanvasRenderingContext2D, app: App, shown: readonly Node[], y: number, width: number): void {
    brush.strokeStyle = app.theme.ink;
    brush.lineWidth = 1.5;
    const row = shown.findIndex((node) => node.id === app.place.peer);
    if (row >= 0) brush.strokeRect(this.gutter - 1, y + row * this.rowHeight - 1, width + 1, this.rowHeight + 1);
    const { piece } = app.place;
    if (piece === null || piece >= this.columns.pieces) return;
    const column = Math.floor((piece * this.columns.count) / this.columns.pieces);
    const wide = width / this.columns.count;
    brush.strokeRect(this.gutter + column * wide - 1, 0.5, Math.max(3, wide + 1), shown.length * this.rowHeight + y);
  }

  private cellAt(x: number, y: number): { node: Node | null; piece: number | null } {
    const width = this.canvas.clientWidth - this.gutter;
    const column = Math.floor(((x - this.gutter) / width) * this.columns.count);
    const piece = column >= 0 && column < this.columns.count ? range(this.columns, column)[0] : null;
    const node = y < 0 ? null : (this.rows[Math.floor((y + this.scroller.scrollTop) / this.rowHeight)] ?? null);
    return { node, piece };
  }

  private place(event: MouseEvent): { x: number; y: number } {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private point(event: MouseEvent): void {
    this.pointer = this.place(event);
    this.app.hover = this.cellAt(this.pointer.x, this.pointer.y).node?.id ?? null;
    this.drawn = "";
  }

  private choose(event: MouseEvent): void {
    const { x, y } = this.place(event);
    const { node, piece } = this.cellAt(x, y);
    if (node) this.app.selectPeer(node.id);
    this.app.goTo({ piece: piece === this.app.place.piece ? null : piece });
  }

  private showTip(swarm: Swarm): void {
    const at = this.pointer;
    const { node, piece } = at ? this.cellAt(at.x, at.y) : { node: null, piece: null };
    this.tip.hidden = !at || (!node && piece === null);
    if (!at || this.tip.hidden) return;
    const copies = piece === null ? "" : `piece ${piece}: ${plural(swarm.availability[piece] ?? 0, "copy", "copies")}`;
    let text = copies;
    if (node) {
      const state = piece === null ? percent(progress(node, swarm.pieceCount)) : has(node.have, piece) ? "has it" : inFlight(node).has(piece) ? "on its way" : "lacks it";
      text = `${this.app.peerName(node.id)}: ${state}${copies ? ` · ${copies}` : ""}`;
    }
    say(this.tip, text);
    this.tip.style.left = `${Math.max(4, Math.min(this.canvas.clientWidth - this.tip.offsetWidth - 4, at.x + 12))}px`;
    this.tip.style.top = `${Math.max(2, at.y + 66 - 40)}px`;
  }
}
