// Visits a swarmlab that serves the page, or a page it wrote: `npm run test:served`. SWARMLAB_MODE says which kind of visit,
// SWARMLAB_URL where, SWARMLAB_TRACE (where there is one) what is to be seen; screenshots go to SWARMLAB_SHOTS.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { counted, drawn, goTo, text, truthOf, until, visit, type Truth } from "./checks.js";
import { opened, settled, shot, shut } from "./served.js";

const { SWARMLAB_MODE: mode, SWARMLAB_URL: url, SWARMLAB_TRACE: trace } = process.env;

async function fetched(): Promise<Truth> {
  const response = await fetch(new URL("trace", url));
  assert.equal(response.status, 200);
  return truthOf(new Uint8Array(await response.arrayBuffer()));
}

const truth = (): Promise<Truth> => (trace ? Promise.resolve(truthOf(readFileSync(trace))) : fetched());

const VISITS: { [mode: string]: (page: Page) => Promise<void> } = {
  file: async (page) => visit(page, await truth(), "file"),
  alone: async (page) => {
    const asked: string[] = [];
    page.on("request", (request) => { if (!/^(data|blob):/.test(request.url())) asked.push(request.url()); });
    await page.reload();
    await visit(page, await truth(), "alone");
    assert.deepEqual(asked.map((each) => each.split("#")[0]), [url], "it fetches nothing");
  },
  live: async (page) => {
    await until(page, "window.swarmlab.player && window.swarmlab.swarm.present > 2");
    await shot(page, "live-running");
    const state = (is: string): Promise<void> => until(page, `window.swarmlab.run && window.swarmlab.run.state === "${is}"`);
    await page.locator(".controls .play").click();
    await state("paused");
    const stood = (await page.evaluate("window.swarmlab.clock.end")) as number;
    await page.evaluate("window.swarmlab.clock.follow(); window.swarmlab.clock.pause()");
    await page.locator('button[aria-label="Step on"]').click();
    await until(page, `window.swarmlab.recording.end > ${stood} || window.swarmlab.clock.time < window.swarmlab.clock.end`);
    await page.evaluate("window.swarmlab.clock.seek(window.swarmlab.clock.end)");
    await page.locator(".controls .play").click();
    await state("running");
    await page.evaluate('window.swarmlab.remote.send({ do: "speed", value: 0 })');
    await until(page, "window.swarmlab.recording.ended !== null", 120_000);
    await settled(page);
    const whole = await fetched();
    const found = await counted(page);
    assert.equal(found.trouble, null);
    if ((await page.evaluate("window.swarmlab.recording.gaps.length")) === 0) assert.equal(found.records, whole.recording.totals.records);
    await goTo(page, `#t=${whole.recording.end / 1e6}`);
    assert.equal(await text(page, '[data-count="swarm"]'), `${whole.at(whole.recording.end).present} here, ${whole.at(whole.recording.end).complete} complete`);
    await shot(page, "live-ended");
  },
  lesson: async (page) => {
    await settled(page);
    assert.equal((await text(page, ".lesson .question")).length > 10, true, "a question");
    assert.equal(await page.locator(".lesson .answer p").first().isVisible(), false, "the answer waits");
    for (const step of await page.locator(".lesson .step").all()) {
      await step.click();
      await settled(page);
      await shot(page, `lesson-${await page.evaluate("window.swarmlab.place.view")}`);
    }
    await page.locator(".lesson .answer summary").click();
    assert.equal((await text(page, ".lesson .answer p")).length > 10, true, "an answer");
    const found = await counted(page);
    const whole = await truth();
    assert.deepEqual([found.trouble, found.records, found.joins, found.completions], [null, whole.recording.totals.records, whole.recording.totals.joins, whole.recording.totals.completions]);
    await page.keyboard.press("1");
    await settled(page);
    assert.equal(await drawn(page, ".picture canvas"), true, "the swarm is drawn");
    await shot(page, "lesson-answer");
  },
};

try {
  const visitor = VISITS[mode ?? ""];
  if (!visitor || !url) throw new Error(`SWARMLAB_MODE is one of ${Object.keys(VISITS).join(", ")}, and SWARMLAB_URL says where`);
  const { page, complaints } = await opened(url);
  await visitor(page);
  assert.deepEqual(complaints, [], "a quiet console");
} finally {
  await shut();
}
