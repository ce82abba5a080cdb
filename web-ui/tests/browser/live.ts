// A WebSocket as `swarmlab watch` offers it, as little of RFC 6455 as the tests need: binary and text messages out, short text
// messages in.
import { createHash } from "node:crypto";
import type { Server } from "node:http";
import type { Socket } from "node:net";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export class Live {
  /** Orders of the page, in order. */
  readonly orders: object[] = [];
  private socket: Socket | null = null;
  private opened: () => void = () => undefined;
  readonly open = new Promise<void>((done) => { this.opened = done; });

  constructor(server: Server) {
    server.on("upgrade", (request, socket: Socket) => {
      const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${GUID}`).digest("base64");
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      socket.on("data", (data) => this.read(data));
      socket.on("error", () => undefined);
      this.socket = socket;
      this.opened();
    });
  }

  send(message: Uint8Array | object): void {
    const binary = message instanceof Uint8Array;
    const body = Buffer.from(binary ? message : JSON.stringify(message));
    this.socket?.write(Buffer.concat([head(binary ? 0x82 : 0x81, body.length), body]));
  }

  close(): void {
    this.socket?.end(Buffer.of(0x88, 0));
  }

  /** Masked frames shorter than 126 bytes, as the page's orders are. */
  private read(data: Buffer): void {
    for (let at = 0; at + 6 <= data.length; ) {
      const length = data[at + 1] & 0x7f;
      const mask = data.subarray(at + 2, at + 6);
      const body = data.subarray(at + 6, at + 6 + length).map((byte, index) => byte ^ mask[index & 3]);
      if ((data[at] & 15) === 1) this.orders.push(JSON.parse(body.toString()) as object);
      at += 6 + length;
    }
  }
}

/** The shortest form of the length, as the RFC demands. */
function head(first: number, length: number): Buffer {
  if (length < 126) return Buffer.of(first, length);
  const long = length > 0xffff;
  const made = Buffer.alloc(long ? 10 : 4);
  made[0] = first;
  made[1] = long ? 127 : 126;
  if (long) made.writeBigUInt64BE(BigInt(length), 2);
  else made.writeUInt16BE(length, 2);
  return made;
}
