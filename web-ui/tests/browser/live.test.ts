// A run that goes on: the page follows it, passes on what is asked of it, marks what was left out, and sees its end.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { EVENTS, Frames } from "../../src/trace/frames.js";
import { frame } from "../encoder.js";
import { synthetic } from "../synthetic.js";
import { truthOf, until } from "./checks.js";
import { Live } from "./live.js";
import { opened, serve, settled, shot, shut } from "./served.js";

after(shut);

test("a live run is followed, ordered about, and has its gaps marked", { timeout: 90_000 }, async () => {
  const { bytes } = synthetic({ peers: 12, pieces: 24, full: 12, seconds: 40, connections: 6, blocksPerSecond: 14 });
  const truth = truthOf(bytes);
  const frames = new Frames().push(bytes).map(({ kind, body }) => ({ kind, bytes: frame(kind, body), body }));
  const { url, server } = await serve({ session: { mode: "live", name: "live", controls: true, lesson: null } });
  const live = new Live(server);
  const { page, complaints } = await opened(url);
  await live.open;
  // A third of the run, from the opening on.
  const third = Math.floor(frames.length / 3);
  live.send(new Uint8Array([...bytes.subarray(0, 16), ...frames[0].bytes]));
  for (const each of frames.slice(1, third)) live.send(each.bytes);
  live.send({ state: "running", speed: 1, at_us: 0, dropped: 0 });
  const last = frames.slice(1, third).filter(({ kind }) => kind === EVENTS).length;
  await until(page, `window.swarmlab.recording.entries.filter((entry) => entry.kind === 2).length === ${last} && window.swarmlab.player.there`);
  const time = (await page.evaluate("window.swarmlab.clock.time")) as number;
  assert.equal(time, await page.evaluate("window.swarmlab.recording.end"), "it stands at the edge of what is known");
  assert.equal(await page.evaluate("window.swarmlab.swarm.present"), truth.at(time).present);
  assert.equal(await page.locator(".controls .live").isVisible(), true);
  await shot(page, "live");

  await page.locator(".controls .play").click();
  await page.locator('select[aria-label="Speed"]').selectOption("2");
  await page.locator('button[aria-label="Step on"]').click();
  await page.locator(".controls .play").click();
  for (let tries = 0; live.orders.length < 4 && tries < 200; tries += 1) await page.evaluate("new Promise((done) => setTimeout(done, 10))");
  assert.deepEqual(live.orders, [{ do: "pause" }, { do: "speed", value: 2 }, { do: "step" }, { do: "play" }]);

  // Then the page is too slow: events are left out, and a keyframe says where things stand.
  const resumed = frames.findIndex((each, index) => index > 2 * third && each.kind === 3);
  assert.equal(resumed > 0, true);
  live.send({ state: "running", speed: 1, at_us: 0, dropped: 7 });
  for (const each of frames.slice(resumed)) live.send(each.bytes);
  live.send({ state: "ended", dropped: 7 });
  live.close();
  await settled(page);
  assert.equal(await page.evaluate("window.swarmlab.recording.gaps.length"), 1);
  assert.match(await page.locator(".notices").innerText(), /could not keep up 1 time/);
  await page.evaluate("window.swarmlab.clock.seek(window.swarmlab.recording.end)");
  await settled(page);
  assert.deepEqual(
    await page.evaluate("window.swarmlab.swarm.nodes.map((node) => (node ? node.haveCount : -1))"),
    truth.at(truth.recording.end).nodes.map((node) => node?.haveCount ?? -1),
  );
  await shot(page, "live-gap");
  await page.context().close();
  server.close();
  assert.deepEqual(complaints, []);
});
