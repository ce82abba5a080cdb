// What must hold of the page wherever it comes from: its counts are those of the trace, every view shows something, nothing
// complains. Used by the tests of a fixed trace and by the script that visits a running swarmlab.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { Recording } from "../../src/swarm/recording.js";
import { Player } from "../../src/swarm/player.js";
import type { Swarm } from "../../src/swarm/state.js";
import { settled, shot } from "./served.js";

export interface Truth {
  recording: Recording;
  at(time: number): Swarm;
}

/** The trace as this side reads it. */
export function truthOf(bytes: Uint8Array): Truth {
  const recording = new Recording();
  recording.feed(bytes);
  while (recording.work(1000));
  recording.close();
  const player = new Player(recording);
  return {
    recording,
    at: (time) => {
      player.goTo(time);
      while (!player.work(1000));
      return player.swarm;
    },
  };
}

/** What the page has counted, as plain numbers. */
export interface Counted {
  records: number;
  joins: number;
  completions: number;
  present: number;
  complete: number;
  end: number;
  trouble: string | null;
}

export const counted = (page: Page): Promise<Counted> => page.evaluate(`(() => {
  const { recording, swarm } = window.swarmlab;
  return { records: recording.totals.records, joins: recording.totals.joins, completions: recording.totals.completions,
    present: swarm ? swarm.present : 0, complete: swarm ? swarm.complete : 0, end: recording.end, trouble: recording.trouble ? recording.trouble.message : null };
})()`);

/** Waits until an expression holds in the page. Asked from here: the page's own policy forbids it to evaluate text. */
export async function until(page: Page, expression: string, limit = 30_000): Promise<void> {
  const end = Date.now() + limit;
  while (!(await page.evaluate(expression))) {
    assert.equal(Date.now() < end, true, `it does not come to hold: ${expression}`);
    await page.waitForTimeout(20);
  }
}

export const VIEWS = ["swarm", "matrix", "lines", "inspector", "all"];

export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await page.evaluate("new Promise((done) => setTimeout(done, 0))");
  await settled(page);
}

export const text = async (page: Page, selector: string): Promise<string> => (await page.locator(selector).first().innerText()).replaceAll("\u202f", "");

/** A canvas on which something is drawn has more than one colour. */
export async function drawn(page: Page, selector: string): Promise<boolean> {
  return page.evaluate(`(() => {
    const canvas = document.querySelector(${JSON.stringify(selector)});
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4 * 97) seen.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    return seen.size > 3;
  })()`);
}

/** Counts on the page are those of the trace; each view shows something. */
export async function visit(page: Page, truth: Truth, prefix: string): Promise<void> {
  await settled(page);
  const { recording } = truth;
  const found = await counted(page);
  assert.equal(found.trouble, null);
  assert.deepEqual([found.records, found.joins, found.completions], [recording.totals.records, recording.totals.joins, recording.totals.completions]);
  if (recording.ended) assert.deepEqual([found.records, found.joins, found.completions], [recording.ended.records, recording.ended.joined, recording.ended.completed]);
  const middle = Math.floor(recording.end * 0.6);
  await goTo(page, `#t=${middle / 1e6}&view=swarm`);
  const swarm = truth.at(middle);
  assert.equal(await text(page, '[data-count="swarm"]'), `${swarm.present} here, ${swarm.complete} complete`);
  for (const view of VIEWS) {
    await page.locator(`.tabs button[data-view="${view}"]`).click();
    await settled(page);
    await shot(page, `${prefix}-${view}`);
  }
  assert.equal(await drawn(page, ".picture canvas"), true, "the swarm is drawn");
  assert.equal(await drawn(page, "canvas.cells"), true, "the matrix is drawn");
  assert.equal(await page.locator(".chart canvas").count(), 5, "five time lines");
}
