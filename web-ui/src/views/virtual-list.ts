// A list of any length of which only the rows in sight are elements.
import { h } from "../ui/dom.js";

const AHEAD = 6;

export class VirtualList {
  readonly element: HTMLElement;
  private readonly spacer = h("div", { class: "spacer" });
  private length = 0;
  private row: (index: number) => HTMLElement = () => h("div");
  private first = -1;
  private last = -1;

  constructor(label: string, private readonly rowHeight: number) {
    this.element = h("div", { class: "virtual", tabindex: 0, role: "group", "aria-label": label }, this.spacer);
    this.element.addEventListener("scroll", () => this.render(false));
    new ResizeObserver(() => this.render(false)).observe(this.element);
  }

  /** Shows so many rows, each made by `row` when it comes in sight. */
  set(length: number, row: (index: number) => HTMLElement): void {
    this.length = length;
    this.row = row;
    this.spacer.style.height = `${length * this.rowHeight}px`;
    this.render(true);
  }

  scrollTo(index: number): void {
    const top = index * this.rowHeight;
    const { scrollTop, clientHeight } = this.element;
    if (top >= scrollTop && top + this.rowHeight <= scrollTop + clientHeight) return;
    this.element.scrollTop = Math.max(0, top - clientHeight / 2);
    this.render(false);
  }

  private render(always: boolean): void {
    const first = Math.max(0, Math.floor(this.element.scrollTop / this.rowHeight) - AHEAD);
    const last = Math.min(this.length, Math.ceil((this.element.scrollTop + this.element.clientHeight) / this.rowHeight) + AHEAD);
    if (!always && first === this.first && last === this.last) return;
    this.first = first;
    this.last = last;
    const focused = document.activeElement instanceof HTMLElement && this.spacer.contains(document.activeElement) ? document.activeElement.dataset.index : undefined;
    const rows: HTMLElement[] = [];
    for (let index = first; index < last; index += 1) {
      const row = this.row(index);
      row.style.transform = `translateY(${index * this.rowHeight}px)`;
      row.style.height = `${this.rowHeight}px`;
      row.dataset.index = String(index);
      rows.push(row);
    }
    this.spacer.replaceChildren(...rows);
    if (focused !== undefined) rows.find((row) => row.dataset.index === focused)?.focus({ preventScroll: true });
  }
}
