// Reads fixed numbers, varints and runs of bytes from a body, and never past its end.

/** What a reader says when bytes are not what the format promises. */
export class Malformed extends Error {}

/** A place in some bytes. Each read moves it on; a read past the end throws `Malformed`. */
export class Cursor {
  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
    readonly end = bytes.length,
  ) {}

  get done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    if (this.at >= this.end) throw new Malformed("a record ends before its last field");
    return this.bytes[this.at++];
  }

  /** LEB128: seven bits a byte, lowest first. Exact up to 2^53, which covers times in microseconds and sizes in bytes. */
  varint(): number {
    let byte = this.byte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 128;
    for (let length = 1; length < 10; length += 1) {
      byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new Malformed("a number is longer than ten bytes");
  }

  /** A view, not a copy. */
  take(length: number): Uint8Array {
    if (length > this.end - this.at) throw new Malformed("a field is longer than its record");
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return part;
  }

  /** A varint for the length, then the bytes. */
  counted(): Uint8Array {
    return this.take(this.varint());
  }
}

export function u32le(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}
