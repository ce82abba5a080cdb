// Sets of pieces as on the wire: the highest bit of the first byte is piece 0 (BEP 3).
import type { Pieces } from "../trace/records.js";

export const bytesFor = (pieceCount: number): number => (pieceCount + 7) >>> 3;

export const has = (bits: Uint8Array, piece: number): boolean => ((bits[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0;

export function set(bits: Uint8Array, piece: number): void {
  bits[piece >> 3] |= 0x80 >> (piece & 7);
}

export function clear(bits: Uint8Array, piece: number): void {
  bits[piece >> 3] &= ~(0x80 >> (piece & 7));
}

/** A set of its own, with no bit beyond the last piece. */
export function fromPieces(pieces: Pieces, pieceCount: number): Uint8Array {
  const bits = new Uint8Array(bytesFor(pieceCount));
  if (pieces === "none") return bits;
  if (pieces === "all") bits.fill(0xff);
  else bits.set(pieces.subarray(0, bits.length));
  const spare = bits.length * 8 - pieceCount;
  if (spare > 0) bits[bits.length - 1] &= (0xff << spare) & 0xff;
  return bits;
}

const ONES = new Uint8Array(256).map((_, byte) => {
  let ones = 0;
  for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1;
  return ones;
});

export function countOf(bits: Uint8Array): number {
  let ones = 0;
  for (const byte of bits) ones += ONES[byte];
  return ones;
}
