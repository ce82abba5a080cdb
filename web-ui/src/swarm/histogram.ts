// How much happened when, over a span that is not known beforehand: bins double their width when the span outgrows them.

export class Histogram {
  readonly bins: Float64Array;
  /** Microseconds. */
  width = 1000;

  constructor(private readonly count = 512) {
    this.bins = new Float64Array(count);
  }

  add(time: number, amount = 1): void {
    while (time >= this.width * this.count) this.fold();
    this.bins[Math.floor(time / this.width)] += amount;
  }

  private fold(): void {
    const half = this.count / 2;
    for (let index = 0; index < half; index += 1) this.bins[index] = this.bins[2 * index] + this.bins[2 * index + 1];
    this.bins.fill(0, half);
    this.width *= 2;
  }
}
