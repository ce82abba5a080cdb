// What the parts of the page share: the recording, the swarm at the moment of the clock, the place in it that is looked at.
// Views read it and call the verbs; they never call each other.
import { Player } from "../swarm/player.js";
import { Recording } from "../swarm/recording.js";
import { lastTime, nextTime, type Filter } from "../swarm/scan.js";
import type { Swarm } from "../swarm/state.js";
import { HOME, readPlace, writePlace, type Place, type View } from "./address.js";
import { Clock, fittingSpeed } from "./clock.js";
import type { Remote, RunState, Session } from "./source.js";
import { theme, type Theme } from "./theme.js";

/** Milliseconds of a frame that reading may take; the rest is for drawing. */
const INDEX_BUDGET = 7;
const PLAY_BUDGET = 8;

export class App {
  readonly recording = new Recording();
  readonly clock = new Clock();
  player: Player | null = null;
  place: Place;
  theme: Theme = theme();
  session: Session | null = null;
  remote: Remote | null = null;
  run: RunState | null = null;
  /** What went wrong beside the trace itself. */
  failure: string | null = null;
  /** The whole length of the file in bytes; 0 where it is not known. */
  expected = 0;
  /** Grows with each change of place, theme or session. */
  revision = 1;
  hover: number | null = null;
  private wanted: number | null;
  private speedChosen = false;

  constructor(hash: string) {
    this.place = readPlace(hash);
    this.wanted = this.place.time;
  }

  get swarm(): Swarm | null {
    return this.player?.swarm ?? null;
  }

  /** Reads on, moves the clock, brings the swarm there. */
  tick(elapsedMs: number): void {
    const { recording, clock } = this;
    if (!recording.idle) recording.work(INDEX_BUDGET);
    if (!recording.header) return;
    if (!this.player) this.begin();
    clock.end = recording.end;
    this.settle();
    clock.tick(elapsedMs);
    if (clock.playing && !clock.following && clock.time >= clock.end && recording.closed && recording.idle) clock.pause();
    const player = this.player;
    if (!player) return;
    player.goTo(clock.time);
    player.work(PLAY_BUDGET);
  }

  private begin(): void {
    this.player = new Player(this.recording);
    // A live run is followed; a recorded one plays by itself, unless a link or a lesson says where to look.
    if (this.wanted === null && this.session?.mode === "live") this.clock.follow();
    else if (this.wanted === null && !this.session?.lesson && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.clock.play();
    this.changed();
  }

  /** Goes to the time of the link once that much is read, and picks a speed that fits once the length is known. */
  private settle(): void {
    const { recording, clock } = this;
    const whole = recording.closed && recording.idle;
    if (this.wanted !== null && (clock.end >= this.wanted || whole)) {
      clock.seek(this.wanted);
      this.wanted = null;
    }
    if (!this.speedChosen && whole) this.chooseSpeed(fittingSpeed(clock.end));
  }

  chooseSpeed(speed: number): void {
    this.speedChosen = true;
    this.clock.speed = speed;
    this.changed();
  }

  faster(steps: number): void {
    this.clock.faster(steps);
    this.chooseSpeed(this.clock.speed);
  }

  changed(): void {
    this.revision += 1;
  }

  themeChanged(): void {
    this.theme = theme();
    this.changed();
  }

  show(view: View): void {
    this.place = { ...this.place, view };
    this.changed();
  }

  /** Chooses a peer, and with it nothing finer. */
  selectPeer(peer: number | null): void {
    if (peer === this.place.peer && this.place.conn === null && this.place.message === null) return;
    this.place = { ...this.place, peer, conn: null, message: null };
    this.changed();
  }

  selectConn(peer: number, conn: number | null): void {
    this.place = { ...this.place, peer, conn, message: null };
    this.changed();
  }

  /** Puts parts of a place, as a link or a lesson has them. */
  goTo(part: Partial<Place>): void {
    const { time, ...rest } = part;
    this.place = { ...this.place, ...rest };
    if (typeof time === "number") {
      this.clock.pause();
      if (time > this.clock.end && !(this.recording.closed && this.recording.idle)) this.wanted = time;
      else this.clock.seek(time);
    }
    this.changed();
  }

  /** As a link says it: what it does not name is left as at home. */
  goToHash(hash: string): void {
    this.goTo({ ...HOME, ...readPlace(hash) });
  }

  /** Steps are those of the peer or link that is selected, or of all. */
  get filter(): Filter {
    const { peer, conn } = this.place;
    if (peer === null) return {};
    return conn === null ? { node: peer } : { node: peer, conn };
  }

  step(forward: boolean): void {
    const { clock, recording } = this;
    if (forward && this.remote && this.session?.controls && clock.time >= clock.end) {
      this.remote.send({ do: "step" });
      return;
    }
    const time = (forward ? nextTime : lastTime)(recording, clock.time, this.filter);
    clock.pause();
    if (time !== null) clock.seek(time);
  }

  jump(share: number): void {
    this.clock.seek(this.clock.time + share * this.clock.end);
  }

  togglePlay(): void {
    const { clock } = this;
    const live = this.session?.mode === "live" && !this.recording.closed;
    if (clock.playing) {
      clock.pause();
      if (live && this.session?.controls) this.remote?.send({ do: "pause" });
    } else if (live) {
      if (this.session?.controls) this.remote?.send({ do: "play" });
      if (clock.time >= clock.end - 1) clock.follow();
      else clock.play();
    } else clock.play();
    this.changed();
  }

  /** What a node is called: its number, as in peers.csv. */
  peerName(node: number): string {
    return `peer ${node}`;
  }

  hash(): string {
    return writePlace({ ...this.place, time: this.wanted ?? Math.round(this.clock.time) });
  }
}

/** A part of the page that shows something of it. */
export interface Panel {
  readonly element: HTMLElement;
  /** Called each frame while the panel can be seen; draws if something it shows has changed. */
  draw(app: App, now: number): void;
}
