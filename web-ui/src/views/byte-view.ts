// Bytes as a protocol diagram: boxes for the fields, the bytes in hex and as text, a table that says what each means. What is
// pointed at in one lights up in the others.
import type { Explained, Span } from "../bytes/span.js";
import { leaves } from "../bytes/span.js";
import { fill, h } from "../ui/dom.js";

/** More bytes than these are not drawn one by one. */
const MOST = 2048;
/** More fields than these make no diagram of boxes. */
const MOST_BOXES = 14;
/** More rows than these are not listed. */
const MOST_ROWS = 400;

export function byteView(explained: Explained): HTMLElement {
  const fields = leaves(explained.spans);
  const element = h("figure", { class: "bytes", "data-bytes": explained.bytes.length },
    h("figcaption", {}, h("b", {}, explained.title), ` ${explained.bytes.length} bytes`),
    explained.note ? h("p", { class: "note" }, explained.note) : null);
  const boxes = explained.spans.length > 1 ? explained.spans : fields;
  if (boxes.length > 1 && boxes.length <= MOST_BOXES) element.append(diagram(boxes));
  const columns = h("div", { class: "columns" }, dump(explained.bytes, fields), table(explained.spans));
  element.append(columns);
  link(element);
  return element;
}

function diagram(spans: readonly Span[]): HTMLElement {
  return h("div", { class: "diagram", "aria-hidden": "true" }, ...spans.map((span) => {
    const box = h("div", { class: `box hue-${span.hue}`, "data-from": span.start, "data-to": span.end },
      h("span", { class: "size" }, `${span.end - span.start}`), h("b", {}, span.name), h("span", { class: "value" }, span.value));
    box.style.flexGrow = String(Math.min(20, Math.max(2, span.end - span.start)));
    return box;
  }));
}

function dump(bytes: Uint8Array, fields: readonly Span[]): HTMLElement {
  const hueOf = new Array<string>(Math.min(MOST, bytes.length)).fill("");
  fields.forEach((field, index) => {
    for (let at = field.start; at < Math.min(field.end, hueOf.length); at += 1) hueOf[at] = `hue-${field.hue}${index % 2 === 1 ? " odd" : ""}`;
  });
  const rows: HTMLElement[] = [];
  const across = window.innerWidth < 560 ? 8 : 16;
  for (let at = 0; at < hueOf.length; at += across) {
    const cells: HTMLElement[] = [];
    const letters: HTMLElement[] = [];
    for (let place = at; place < Math.min(at + across, hueOf.length); place += 1) {
      const byte = bytes[place];
      cells.push(h("i", { class: hueOf[place], "data-at": place }, byte.toString(16).padStart(2, "0")));
      letters.push(h("i", { class: hueOf[place], "data-at": place }, byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·"));
    }
    rows.push(h("div", { class: "line" }, h("span", { class: "offset" }, at.toString(16).padStart(4, "0")), h("span", { class: "hex" }, ...cells), h("span", { class: "ascii" }, ...letters)));
  }
  const rest = bytes.length - hueOf.length;
  if (rest > 0) rows.push(h("p", { class: "note" }, `… and ${rest} more bytes`));
  const made = h("div", { class: "dump", role: "group", tabindex: 0, "aria-label": `Bytes in hexadecimal, ${across} a line` }, ...rows);
  made.style.setProperty("--across", String(across));
  return made;
}

function table(spans: readonly Span[]): HTMLElement {
  const rows: HTMLElement[] = [];
  const add = (span: Span, depth: number): void => {
    if (rows.length > MOST_ROWS) return;
    const size = span.end - span.start;
    const name = h("th", { scope: "row" }, h("i", { class: `dot hue-${span.hue}`, "aria-hidden": "true" }), span.name);
    name.style.paddingInlineStart = `${depth * 14}px`;
    rows.push(h("tr", { "data-from": span.start, "data-to": span.end, tabindex: 0 }, name,
      h("td", { class: "size" }, size === 1 ? "1 byte" : `${size} bytes`), h("td", { class: "value" }, span.value, span.meaning ? h("small", {}, span.meaning) : null)));
    // Marks and lengths of nested values are told in the bytes; the table keeps to what is said.
    for (const part of span.parts ?? []) if (part.hue !== "mark" || part.parts) addPart(part, depth + 1);
  };
  const addPart = (part: Span, depth: number): void => {
    if (part.hue === "length" && part.name === "length") return;
    if (part.name === "text" || part.name === "integer" || part.name === "key") return;
    if (part.name === "bytes" && part.parts) for (const inner of part.parts) add(inner, depth);
    else if (part.name !== "bytes") add(part, depth);
  };
  for (const span of spans) add(span, 0);
  if (rows.length > MOST_ROWS) rows.push(h("tr", {}, h("td", { colspan: 3, class: "note" }, "… and more")));
  const body = h("tbody");
  fill(body, ...rows);
  return h("table", { class: "fields" }, h("thead", { class: "sr" }, h("tr", {}, h("th", {}, "field"), h("th", {}, "size"), h("th", {}, "value"))), body);
}

/** Lights up the bytes of the field, or the field of the byte, that is pointed at or focused. */
function link(element: HTMLElement): void {
  const light = (from: number, to: number): void => {
    for (const part of element.querySelectorAll<HTMLElement>("[data-at], [data-from]")) {
      const start = Number(part.dataset.at ?? part.dataset.from);
      const end = part.dataset.at !== undefined ? start + 1 : Number(part.dataset.to);
      const byte = part.dataset.at !== undefined;
      part.classList.toggle("lit", byte ? start >= from && end <= to : start <= from && end >= to && to > from);
    }
  };
  const at = (event: Event): void => {
    const part = (event.target as Element).closest<HTMLElement>("[data-at], [data-from]");
    if (!part) return light(0, 0);
    const from = Number(part.dataset.at ?? part.dataset.from);
    light(from, part.dataset.at !== undefined ? from + 1 : Number(part.dataset.to));
  };
  element.addEventListener("pointerover", at);
  element.addEventListener("focusin", at);
  element.addEventListener("pointerleave", () => light(0, 0));
}
