// Places, colours, addresses and quantities: what the page shows, without a page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readPlace, readSelection, writePlace, HOME } from "../../src/ui/address.js";
import { Clock, fittingSpeed } from "../../src/ui/clock.js";
import { address, bytes, clock, rate } from "../../src/ui/numbers.js";
import { DARK, LIGHT, rgb } from "../../src/ui/theme.js";
import { columnsFor, range } from "../../src/views/matrix-rows.js";
import { layout } from "../../src/views/layout.js";
import { seriesOf } from "../../src/views/series.js";

test("peers have room, do not overlap, and stay put while others come", () => {
  for (const counts of [[1, 3], [1, 30], [1, 60, 35], [2, 400], [5, 1000, 995], [1, 20000]]) {
    const groups = counts.map((count, group) => ({ group, count, seeds: group === 0 }));
    const made = layout(groups, 500, 400, 380);
    const spots = made.spots.flat();
    assert.equal(spots.length, counts.reduce((sum, count) => sum + count, 0), counts.join());
    for (const spot of spots) assert.equal(Math.hypot(spot.x - 500, spot.y - 400) + spot.radius <= 381, true, counts.join());
    // Neighbours by a grid of cells, so that twenty thousand are held against each other quickly.
    const cells = new Map<string, typeof spots>();
    const size = Math.max(...spots.map((spot) => spot.radius)) * 2;
    for (const spot of spots) {
      const [column, row] = [Math.floor(spot.x / size), Math.floor(spot.y / size)];
      for (let dx = -1; dx <= 1; dx += 1) for (let dy = -1; dy <= 1; dy += 1) {
        for (const other of cells.get(`${column + dx} ${row + dy}`) ?? []) {
          const apart = Math.hypot(spot.x - other.x, spot.y - other.y);
          assert.equal(apart >= (spot.radius + other.radius) * 0.92, true, `${counts.join()}: ${apart} apart, ${spot.radius} and ${other.radius} large`);
        }
      }
      cells.set(`${column} ${row}`, [...(cells.get(`${column} ${row}`) ?? []), spot]);
    }
    assert.deepEqual(layout(groups, 500, 400, 380), made, "the same numbers, the same places");
  }
});

/** Linear light of a channel, as sRGB defines it. */
const linear = (channel: number): number => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
type Triple = [number, number, number];
const light = (colour: string): Triple => rgb(colour).map((channel) => linear(channel / 255)) as Triple;
const luminance = ([r, g, b]: Triple): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;
const contrast = (one: string, other: string): number => {
  const [a, b] = [luminance(light(one)), luminance(light(other))].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
};
// Machado, Oliveira and Fernandes (2009), severity 1.
const SIGHT: { [name: string]: number[][] } = {
  full: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
/** Oklab (Ottosson 2020): distances in it are as people see them. */
function oklab([r, g, b]: Triple): Triple {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
}
const seen = (colour: string, matrix: number[][]): Triple =>
  oklab(matrix.map((row) => Math.max(0, Math.min(1, row.reduce((sum, factor, index) => sum + factor * light(colour)[index], 0)))) as Triple);

for (const [name, theme] of [["light", LIGHT], ["dark", DARK]] as const) {
  test(`${name}: groups stay apart for every kind of sight, and visible on their ground`, () => {
    for (const colour of theme.groups) assert.equal(contrast(colour, theme.panel) >= 3, true, `${colour} on ${theme.panel}: ${contrast(colour, theme.panel).toFixed(2)}`);
    assert.equal(contrast(theme.ink, theme.panel) >= 7, true);
    assert.equal(contrast(theme.dim, theme.ground) >= 4.5, true);
    for (const [sight, matrix] of Object.entries(SIGHT)) {
      const colours = theme.groups.map((colour) => seen(colour, matrix));
      for (let one = 0; one < colours.length; one += 1) for (let other = one + 1; other < colours.length; other += 1) {
        const apart = Math.hypot(...colours[one].map((value, index) => value - colours[other][index]));
        assert.equal(apart >= 0.07, true, `${sight}: ${theme.groups[one]} and ${theme.groups[other]} are ${apart.toFixed(3)} apart`);
      }
    }
  });
  test(`${name}: the style sheet and the canvases have the same colours`, () => {
    const sheet = readFileSync(new URL("../../src/page.css", import.meta.url), "utf8").split(':root[data-theme="dark"]')[name === "dark" ? 1 : 0];
    for (const key of ["ground", "panel", "ink", "dim", "line", "accent", "alarm"] as const) assert.equal(sheet.includes(`--${key}: ${theme[key]};`), true, `${key} ${theme[key]}`);
  });
}

test("an address goes back and forth, and nonsense is the home page", () => {
  const place = { time: 12_345_678, view: "matrix", peer: 3, conn: 0, message: 17, piece: 9, sort: "rate" } as const;
  assert.equal(writePlace(place), "#t=12.345678&view=matrix&peer=3&conn=0&message=17&piece=9&sort=rate");
  assert.deepEqual(readPlace(writePlace(place)), place);
  assert.deepEqual(readPlace(writePlace(HOME)), HOME);
  assert.deepEqual(readPlace("#t=x&view=nowhere&peer=-1&sort=&piece=1e9"), HOME);
  assert.equal(readPlace("#t=0").time, 0);
  assert.deepEqual(readSelection("peer:19 conn:2"), { peer: 19, conn: 2, message: null, piece: null });
});

test("the clock stays within the run", () => {
  const now = new Clock();
  now.end = 10e6;
  now.speed = 2;
  now.play();
  now.tick(1000);
  assert.equal(now.time, 2e6);
  now.tick(60_000);
  assert.equal(now.time, 10e6);
  now.seek(-5);
  assert.equal(now.time, 0);
  assert.equal(fittingSpeed(1110e6), 50);
  assert.equal(fittingSpeed(5e6), 0.25);
});

test("quantities read well", () => {
  assert.deepEqual([bytes(0), bytes(1023), bytes(16384), bytes(67108864)], ["0 B", "1023 B", "16.0 KiB", "64.0 MiB"]);
  assert.deepEqual([rate(999), rate(147456), rate(2.5e6)], ["999 B/s", "147 kB/s", "2.50 MB/s"]);
  assert.deepEqual([clock(1_500_000), clock(61e6), clock(3_723_400_000)], ["1.50 s", "1:01.0", "1:02:03.4"]);
  assert.equal(address(Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 80), "[2001:db8::1]:80");
});

test("columns of the matrix cover each piece once", () => {
  for (const [pieces, pixels] of [[32, 900], [1000, 900], [128, 128], [4000, 333]]) {
    const columns = columnsFor(pieces, pixels);
    let next = 0;
    for (let column = 0; column < columns.count; column += 1) {
      const [from, to] = range(columns, column);
      assert.equal(from, next);
      next = to;
    }
    assert.equal(next, pieces);
  }
});

test("rates of the time lines are differences of what was received", () => {
  const sample = (received: number): object => ({ rarest: 1, announces: 0, uplinks: 100, groups: [{ leechers: 1, seeds: 0, completed: 0, sent: 0, received }] });
  const samples = [0, 1000, 4000].map((received, index) => ({ time: index * 2e6, what: sample(received) as never }));
  const group = { name: "a", role: "leecher", behaviour: "honest", preset: "", count: 1, up: 0, down: 0 };
  assert.deepEqual(seriesOf(samples, [group]).charts[0].lines[0].values, [null, 500, 1500]);
});
