// Named bytes: what a run of bytes is called, what it says, what it means. The same shape for every protocol.

/** What sort of field, and with it its colour. */
export type Hue = "length" | "id" | "number" | "text" | "bytes" | "wrong" | "mark";

export interface Span {
  start: number;
  end: number;
  hue: Hue;
  name: string;
  value: string;
  meaning?: string;
  parts?: Span[];
}

/** Some bytes and what they are. `note` says what is not there. */
export interface Explained {
  title: string;
  bytes: Uint8Array;
  spans: Span[];
  note?: string;
}

export function span(start: number, end: number, hue: Hue, name: string, value: string, meaning?: string, parts?: Span[]): Span {
  return { start, end, hue, name, value, meaning, parts };
}

/** The smallest parts, in the order of their bytes. */
export function leaves(spans: readonly Span[]): Span[] {
  return spans.flatMap((each) => (each.parts && each.parts.length > 0 ? leaves(each.parts) : [each]));
}
