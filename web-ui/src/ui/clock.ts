// The one clock: a time in microseconds of the trace, running or standing. Knows no trace, only how far it may go.

export const SPEEDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 500, 1000];

export class Clock {
  time = 0;
  playing = false;
  speed = 1;
  /** Stays at the end as the end moves on: watching live. */
  following = false;
  /** How far it may go. */
  end = 0;
  /** Grows with each change that is not the passing of time. */
  revision = 0;

  tick(elapsedMs: number): void {
    if (this.following) {
      this.time = this.end;
      return;
    }
    if (!this.playing) return;
    this.time += elapsedMs * 1000 * this.speed;
    if (this.time < this.end) return;
    this.time = this.end;
  }

  seek(time: number): void {
    this.following = false;
    this.time = Math.max(0, Math.min(this.end, time));
    this.revision += 1;
  }

  play(): void {
    if (this.time >= this.end && !this.following) this.time = 0;
    this.playing = true;
    this.revision += 1;
  }

  pause(): void {
    this.playing = false;
    this.following = false;
    this.revision += 1;
  }

  follow(): void {
    this.following = true;
    this.playing = true;
    this.revision += 1;
  }

  faster(steps: number): void {
    const nearest = SPEEDS.findIndex((speed) => speed >= this.speed);
    const at = (nearest < 0 ? SPEEDS.length - 1 : nearest) + steps;
    this.speed = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at))];
    this.revision += 1;
  }
}

/** The speed at which a run of that length is seen in about forty seconds. */
export function fittingSpeed(length: number): number {
  const wanted = length / 40e6;
  return SPEEDS.find((speed) => speed >= wanted) ?? SPEEDS[SPEEDS.length - 1];
}
