// Bencode as a tree of named bytes (BEP 3): strings, integers, lists, dictionaries. Reads anything, marks what is wrong.
import { ascii, hex, plural } from "../ui/numbers.js";
import { span, type Span } from "./span.js";

/** A value of the tree, in its place. */
export interface Value {
  kind: "string" | "integer" | "list" | "dictionary" | "wrong";
  start: number;
  end: number;
  /** Of a string: where its bytes begin. */
  from: number;
  /** Of a list. */
  items: Value[];
  /** Of a dictionary, in the order of the file. */
  entries: { key: Value; value: Value }[];
  /** What is wrong. */
  fault: string;
}

/** Deeper than any file means: there a reader stops. */
const DEEPEST = 60;

export function parse(data: Uint8Array, start = 0): Value {
  return new Reader(data).value(start, 0);
}

class Reader {
  constructor(private readonly data: Uint8Array) {}

  value(at: number, depth: number): Value {
    const first = this.data[at];
    if (first === undefined) return wrong(at, this.data.length, "it ends where a value should begin");
    if (depth > DEEPEST) return wrong(at, this.data.length, "nested too deeply");
    if (first === 0x69) return this.integer(at);
    if (first === 0x6c) return this.list(at, depth);
    if (first === 0x64) return this.dictionary(at, depth);
    if (first >= 0x30 && first <= 0x39) return this.string(at);
    return wrong(at, this.data.length, "a value begins with a digit, i, l or d");
  }

  private string(at: number): Value {
    const colon = this.data.indexOf(0x3a, at);
    const digits = colon < 0 ? "" : ascii(this.data.subarray(at, colon));
    if (!/^\d{1,10}$/.test(digits)) return wrong(at, this.data.length, "a string begins with its length and a colon");
    const end = colon + 1 + Number(digits);
    if (end > this.data.length) return wrong(at, this.data.length, `a string of ${digits} bytes is cut off`);
    return { ...blank(at, end), kind: "string", from: colon + 1 };
  }

  private integer(at: number): Value {
    const end = this.data.indexOf(0x65, at);
    const digits = end < 0 ? "" : ascii(this.data.subarray(at + 1, end));
    if (!/^(0|-?[1-9]\d*)$/.test(digits)) return wrong(at, end < 0 ? this.data.length : end + 1, "not an integer: i, digits, e");
    return { ...blank(at, end + 1), kind: "integer" };
  }

  private list(at: number, depth: number): Value {
    const list: Value = { ...blank(at, at + 1), kind: "list" };
    let next = at + 1;
    while (next < this.data.length && this.data[next] !== 0x65) {
      const item = this.value(next, depth + 1);
      list.items.push(item);
      next = item.end;
      if (item.kind === "wrong") return { ...list, end: next };
    }
    return this.closed(list, next);
  }

  private dictionary(at: number, depth: number): Value {
    const dictionary: Value = { ...blank(at, at + 1), kind: "dictionary" };
    let next = at + 1;
    while (next < this.data.length && this.data[next] !== 0x65) {
      const key = this.value(next, depth + 1);
      if (key.kind !== "string") {
        dictionary.items.push(key.kind === "wrong" ? key : wrong(key.start, this.data.length, "a key is a string"));
        return { ...dictionary, end: this.data.length };
      }
      const value = this.value(key.end, depth + 1);
      dictionary.entries.push({ key, value });
      next = value.end;
      if (value.kind === "wrong") return { ...dictionary, end: next };
    }
    return this.closed(dictionary, next);
  }

  private closed(value: Value, next: number): Value {
    if (next < this.data.length) return { ...value, end: next + 1 };
    value.items.push(wrong(next, next, "the e that ends it is missing"));
    return { ...value, end: next };
  }
}

const blank = (start: number, end: number): Value => ({ kind: "wrong", start, end, from: start, items: [], entries: [], fault: "" });
const wrong = (start: number, end: number, fault: string): Value => ({ ...blank(start, end), fault });

/** The bytes of a string. */
export const content = (data: Uint8Array, value: Value): Uint8Array => data.subarray(value.from, value.end);

export function find(data: Uint8Array, dictionary: Value, key: string): Value | null {
  for (const entry of dictionary.entries) {
    if (ascii(content(data, entry.key)) === key) return entry.value;
  }
  return null;
}

export function integerOf(data: Uint8Array, value: Value | null): number | null {
  return value?.kind === "integer" ? Number(ascii(data.subarray(value.start + 1, value.end - 1))) : null;
}

/** What keys mean, for the spans; strings that are not text are decoded by `special`. */
export interface Keys {
  meaning(path: string): string | undefined;
  special(path: string, data: Uint8Array, value: Value): Span[] | null;
}

const PLAIN: Keys = { meaning: () => undefined, special: () => null };

/** The tree as spans: every byte is in one, also the marks between. */
export function explainValue(data: Uint8Array, value: Value, name = "value", keys: Keys = PLAIN, path = ""): Span {
  const meaning = keys.meaning(path);
  switch (value.kind) {
    case "string": {
      const bytes = content(data, value);
      const special = keys.special(path, data, value);
      const body = special ? span(value.from, value.end, "bytes", "bytes", "", undefined, special) : text(value, bytes);
      const parts = [span(value.start, value.from, "length", "length", ascii(data.subarray(value.start, value.from - 1)), "then a colon")];
      if (value.end > value.from) parts.push(body);
      return span(value.start, value.end, "text", name, special ? `${special.length} × ${special[0]?.name ?? "part"}` : shown(bytes), meaning, parts);
    }
    case "integer": {
      const digits = ascii(data.subarray(value.start + 1, value.end - 1));
      return span(value.start, value.end, "number", name, digits, meaning, [
        span(value.start, value.start + 1, "mark", "i", "an integer begins"), span(value.start + 1, value.end - 1, "number", "integer", digits),
        span(value.end - 1, value.end, "mark", "e", "it ends"),
      ]);
    }
    case "list": {
      const parts = [span(value.start, value.start + 1, "mark", "l", "a list begins")];
      value.items.forEach((item, index) => parts.push(explainValue(data, item, `item ${index + 1}`, keys, `${path}[]`)));
      return ended(data, span(value.start, value.end, "mark", name, plural(value.items.length, "item"), meaning, parts), "the list ends");
    }
    case "dictionary": {
      const parts = [span(value.start, value.start + 1, "mark", "d", "a dictionary begins")];
      for (const entry of value.entries) {
        const key = shown(content(data, entry.key));
        parts.push(explainValue(data, entry.key, "key", PLAIN), explainValue(data, entry.value, key, keys, path === "" ? key : `${path}.${key}`));
      }
      for (const item of value.items) parts.push(explainValue(data, item));
      return ended(data, span(value.start, value.end, "mark", name, plural(value.entries.length, "key"), meaning, parts), "the dictionary ends");
    }
    default:
      return span(value.start, value.end, "wrong", "not bencode", value.fault);
  }
}

const text = (value: Value, bytes: Uint8Array): Span =>
  span(value.from, value.end, isText(bytes) ? "text" : "bytes", isText(bytes) ? "text" : "bytes", shown(bytes));

function ended(data: Uint8Array, of: Span, meaning: string): Span {
  const last = of.parts?.at(-1);
  if (data[of.end - 1] === 0x65 && (last?.end ?? of.start) < of.end) of.parts?.push(span(of.end - 1, of.end, "mark", "e", meaning));
  return of;
}

export function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x20 && byte !== 0x7f && byte < 0x80) || validUtf8(bytes);
}

function validUtf8(bytes: Uint8Array): boolean {
  try {
    const decoded = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return [...decoded].every((character) => character >= " " && character !== "\u007f");
  } catch {
    return false;
  }
}

/** A string as it is best read: text, or the first bytes in hex. */
export function shown(bytes: Uint8Array, most = 60): string {
  if (isText(bytes)) {
    const decoded = new TextDecoder().decode(bytes);
    return decoded.length > most ? `${decoded.slice(0, most)}…` : decoded;
  }
  return bytes.length > 20 ? `${hex(bytes.subarray(0, 20))}… (${bytes.length} bytes)` : hex(bytes);
}
