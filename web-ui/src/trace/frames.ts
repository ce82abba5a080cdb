// Cuts a stream of bytes into frames and checks each: the outermost layer of a trace. Knows nothing of what is in them.
import { crc32 } from "./crc.js";
import { u32le } from "./cursor.js";

export const MAGIC = "swarmlab trace";
export const VERSION = 1;
export const HEADER = 1;
export const EVENTS = 2;
export const KEYFRAME = 3;
export const END = 4;

const LONGEST_BODY = 64 * 1024 * 1024;
const OPENING = 16;
const FRAME_HEAD = 9;

/** A whole frame whose check sum is right. */
export interface Frame {
  kind: number;
  body: Uint8Array;
}

/** Why a trace cannot be read, or not beyond a point. */
export interface Trouble {
  kind: "foreign" | "version" | "broken";
  /** Where in the file, in bytes. */
  offset: number;
  message: string;
}

/** Takes bytes as they come, gives whole frames. After trouble it gives nothing more. */
export class Frames {
  trouble: Trouble | null = null;
  /** Bytes of the file that were whole frames. */
  read = 0;
  private opened = false;
  private pending = new Uint8Array(0);

  /** Bytes that came and do not yet make a frame. */
  get waiting(): number {
    return this.pending.length;
  }

  push(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    if (this.trouble) return frames;
    const data = this.pending.length === 0 ? bytes : join(this.pending, bytes);
    let at = 0;
    if (!this.opened) {
      if (!this.open(data)) return frames;
      if (!this.opened) return this.keep(data, 0, frames);
      at = OPENING;
      this.read = OPENING;
    }
    while (data.length - at >= FRAME_HEAD) {
      const length = u32le(data, at + 1);
      if (length > LONGEST_BODY) {
        return this.fail("broken", this.read, `a frame claims to be ${length} bytes long, and the longest is 64 MiB`, frames);
      }
      const end = at + FRAME_HEAD + length;
      if (data.length < end) break;
      if (checksum(data, at, end) !== u32le(data, at + 5)) {
        return this.fail("broken", this.read, "the check sum of a frame is wrong, so what follows cannot be trusted", frames);
      }
      frames.push({ kind: data[at], body: data.subarray(at + FRAME_HEAD, end) });
      this.read += end - at;
      at = end;
    }
    return this.keep(data, at, frames);
  }

  /** Looks at the first bytes; false when they are not those of a trace we know. */
  private open(data: Uint8Array): boolean {
    const agreed = Math.min(data.length, MAGIC.length);
    for (let index = 0; index < agreed; index += 1) {
      if (data[index] !== MAGIC.charCodeAt(index)) {
        this.fail("foreign", index, `this is not a trace: a trace begins with the words "${MAGIC}"`, []);
        return false;
      }
    }
    if (data.length < OPENING) return true;
    const version = data[14] | (data[15] << 8);
    if (version !== VERSION) {
      const message = `this trace is of version ${version} of the format, and this page reads version ${VERSION}: open it with the swarmlab that wrote it`;
      this.fail("version", 14, message, []);
      return false;
    }
    this.opened = true;
    return true;
  }

  private keep(data: Uint8Array, at: number, frames: Frame[]): Frame[] {
    this.pending = data.slice(at);
    return frames;
  }

  private fail(kind: Trouble["kind"], offset: number, message: string, frames: Frame[]): Frame[] {
    this.trouble = { kind, offset, message };
    this.pending = new Uint8Array(0);
    return frames;
  }
}

/** Over kind, length and body; the sum itself lies between them and is left out. */
function checksum(data: Uint8Array, at: number, end: number): number {
  const covered = new Uint8Array(end - at - 4);
  covered.set(data.subarray(at, at + 5));
  covered.set(data.subarray(at + FRAME_HEAD, end), 5);
  return crc32(covered);
}

function join(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
