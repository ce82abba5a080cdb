// How long a frame takes while a swarm plays: median and 95th percentile of the script's part, at 100, 2,000 and 20,000 peers.
import type { CDPSession, Page } from "playwright-core";
import { synthetic, type Plan } from "../synthetic.js";
import { opened, serve, settled, shut } from "../browser/served.js";

const PLANS: Plan[] = [
  { peers: 100, pieces: 128, full: 100, seconds: 60, connections: 20, blocksPerSecond: 16 },
  { peers: 2000, pieces: 128, full: 2000, seconds: 20, connections: 20, blocksPerSecond: 8 },
  { peers: 20000, pieces: 64, full: 400, seconds: 20, connections: 20, blocksPerSecond: 16 },
];
const FRAMES = 240;

/** Milliseconds of each frame: what its callbacks took, and from one frame to the next. */
const MEASURE = `new Promise((done) => {
  const plain = window.requestAnimationFrame.bind(window);
  const taken = [], between = [];
  let before = 0;
  window.requestAnimationFrame = (callback) => plain((now) => {
    const begin = performance.now();
    callback(now);
    taken.push(performance.now() - begin);
    if (before) between.push(now - before);
    before = now;
    if (taken.length === ${FRAMES}) { window.requestAnimationFrame = plain; done({ taken, between }); }
  });
})`;

const quantile = (values: number[], share: number): string => [...values].sort((one, other) => one - other)[Math.floor(share * (values.length - 1))].toFixed(1);

async function measure(page: Page): Promise<{ taken: number[]; between: number[] }> {
  await page.evaluate("window.swarmlab.clock.seek(window.swarmlab.recording.end * 0.3); window.swarmlab.clock.speed = 1; window.swarmlab.clock.play()");
  return page.evaluate(MEASURE) as Promise<{ taken: number[]; between: number[] }>;
}

console.log("peers   view       script median   p95 ms   frame median   p95 ms");
for (const plan of PLANS) {
  const { bytes } = synthetic(plan);
  const { url, server } = await serve({ session: { mode: "file", name: "bench", lesson: null }, trace: bytes });
  const { page } = await opened(`${url}#t=0`);
  await settled(page);
  const session: CDPSession = await page.context().newCDPSession(page);
  for (const view of ["swarm", "matrix", "all"]) {
    await page.evaluate(`window.swarmlab.show("${view}")`);
    const { taken, between } = await measure(page);
    console.log(
      `${String(plan.peers).padEnd(7)} ${view.padEnd(10)} ${quantile(taken, 0.5).padStart(13)} ${quantile(taken, 0.95).padStart(8)} ${quantile(between, 0.5).padStart(14)} ${quantile(between, 0.95).padStart(8)}`,
    );
  }
  await session.detach();
  await page.context().close();
  server.close();
}
await shut();
