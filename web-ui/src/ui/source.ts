// Where the bytes come from: inside the document, a file over HTTP, or a run that is going on. Also what surrounds a trace:
// its name, a lesson, whether the run can be controlled.
import type { Recording } from "../swarm/recording.js";

export interface Look {
  text: string;
  at_us?: number;
  view?: string;
  /** What to choose: `peer:3`, `peer:3 conn:1`, `piece:7`. */
  select?: string;
}

export interface Picture {
  kind: "bencode" | "torrent" | "request" | "reply" | "handshake" | "participants";
  title?: string;
  text?: string;
  bytes_hex?: string;
  text_hex?: string;
}

export interface Lesson {
  name: string;
  title: string;
  question: string;
  look?: Look[];
  pictures?: Picture[];
  answer?: string;
  next?: string | null;
}

export interface Session {
  /** `pictures`: a lesson without a run. `menu`: nothing is chosen yet. */
  mode: "file" | "live" | "pictures" | "menu";
  name: string;
  lesson: Lesson | null;
  controls?: boolean;
}

export interface RunState {
  state: "running" | "paused" | "ended";
  speed?: number;
  at_us?: number;
  dropped?: number;
}

/** What a source tells while it lives. */
export interface Listener {
  session(session: Session): void;
  /** The whole length in bytes, where it is known. */
  expected(bytes: number): void;
  state(state: RunState): void;
  failed(message: string): void;
}

/** Something that the program can show. */
export interface Entry {
  /** What opens it: `lesson:choke`. */
  open: string;
  kind: "lesson" | "scenario";
  name: string;
  title: string;
  question: string;
}

/** The page is one file with its trace inside: there is no program to ask. */
export const alone = (): boolean => document.getElementById("trace") !== null;

/** A path of the program, for what the address of the page opens. */
function path(name: string): string {
  const open = new URLSearchParams(location.search).get("open");
  return open === null ? name : `${name}?open=${encodeURIComponent(open)}`;
}

/** The address at which the page shows an entry. */
export const linkTo = (open: string): string => `?open=${encodeURIComponent(open)}`;

/** What there is to see; nothing where nobody can be asked. */
export async function menu(): Promise<Entry[]> {
  if (alone()) return [];
  try {
    const response = await fetch("lessons");
    return response.ok ? ((await response.json()) as Entry[]) : [];
  } catch {
    return []; // the page works without them
  }
}

/** A run that takes orders. */
export interface Remote {
  send(order: { do: "pause" | "play" | "step" | "speed"; value?: number }): void;
}

/** Begins to feed the recording; gives a remote for a live run. */
export async function open(recording: Recording, listener: Listener): Promise<Remote | null> {
  const inside = document.getElementById("trace");
  if (inside) {
    listener.session(await sessionInside());
    await readInside(inside, recording);
    return null;
  }
  let session: Session;
  try {
    const response = await fetch(path("session"));
    if (!response.ok) throw new Error((await response.text()).trim() || `the server answered ${response.status}`);
    session = (await response.json()) as Session;
  } catch (error) {
    listener.failed(`There is nothing to show: ${reason(error)}. Is "swarmlab watch" still running?`);
    return null;
  }
  listener.session(session);
  if (session.mode === "live") return follow(recording, listener);
  if (session.mode === "file") await readFile(recording, listener);
  else recording.close();
  return null;
}

async function sessionInside(): Promise<Session> {
  const given = document.getElementById("session")?.textContent;
  const plain: Session = { mode: "file", name: document.title, lesson: null };
  return given ? { ...plain, ...(JSON.parse(given) as Partial<Session>), mode: "file" } : plain;
}

/** Base64 in the document, deflated unless it says otherwise. */
async function readInside(element: HTMLElement, recording: Recording): Promise<void> {
  const text = atob((element.textContent ?? "").replace(/\s+/g, ""));
  const packed = Uint8Array.from(text, (character) => character.charCodeAt(0));
  if (element.dataset.encoding === "none") recording.feed(packed);
  else await drain(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")), recording);
  recording.close();
}

async function readFile(recording: Recording, listener: Listener): Promise<void> {
  try {
    const response = await fetch(path("trace"));
    if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
    listener.expected(Number(response.headers.get("content-length") ?? 0));
    await drain(response.body, recording);
  } catch (error) {
    listener.failed(`The trace could not be read to its end: ${reason(error)}. What came is shown.`);
  }
  recording.close();
}

async function drain(stream: ReadableStream<Uint8Array>, recording: Recording): Promise<void> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    recording.feed(value);
  }
}

function follow(recording: Recording, listener: Listener): Remote {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/${path("live")}`);
  socket.binaryType = "arraybuffer";
  let dropped = 0;
  let ended = false;
  socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => {
    if (typeof event.data !== "string") {
      recording.feed(new Uint8Array(event.data));
      return;
    }
    const state = JSON.parse(event.data) as RunState;
    if ((state.dropped ?? 0) > dropped) {
      dropped = state.dropped ?? 0;
      recording.noteGap();
    }
    if (state.state === "ended") {
      ended = true;
      recording.close();
    }
    listener.state(state);
  };
  socket.onclose = () => {
    recording.close();
    if (!ended && recording.ended === null) listener.failed("The run is out of sight: the connection to swarmlab was closed. What came is shown.");
    listener.state({ state: "ended" });
  };
  return {
    send: (order) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(order));
    },
  };
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
