// The built page in Chromium, with a fixed trace: what it counts and shows is what the trace says.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Server } from "node:http";
import { deflateRawSync } from "node:zlib";
import type { Page } from "playwright-core";
import { messageBytes } from "../../src/bytes/peer.js";
import { scarcity, rowsOf } from "../../src/views/matrix-rows.js";
import { openLinks } from "../../src/swarm/model.js";
import { collect } from "../../src/swarm/scan.js";
import { whyWords } from "../../src/swarm/words.js";
import { Kind, type Record } from "../../src/trace/records.js";
import { hex } from "../../src/ui/numbers.js";
import { synthetic } from "../synthetic.js";
import { counted, drawn, goTo, text, truthOf, until, visit } from "./checks.js";
import { asset, opened, serve, settled, shot, shut } from "./served.js";

const TRACE = readFileSync(new URL("../traces/tiny.swt", import.meta.url));
const truth = truthOf(TRACE);
const MIDDLE = Math.floor(truth.recording.end * 0.5);
let url = "";
let server: Server;

before(async () => {
  ({ url, server } = await serve({ session: { mode: "file", name: "tiny.swt", lesson: null }, trace: TRACE, lessons: [{ open: "lesson:choke", kind: "lesson", name: "choke", title: "Choking", question: "Who may ask?" }] }));
});

after(async () => {
  await shut();
  server.close();
});

/** A test that ends with a quiet console. */
function browse(name: string, options: Parameters<typeof opened>[1], hash: string, run: (page: Page) => Promise<void>): void {
  test(name, { timeout: 60_000 }, async () => {
    const { page, complaints } = await opened(`${url}${hash}`, options);
    await settled(page);
    await run(page);
    await page.context().close();
    assert.deepEqual(complaints, []);
  });
}

browse("the page counts what the trace counts, in every view", {}, "", (page) => visit(page, truth, "wide"));

test("a swarm with groups, a fault and leavers is counted the same", { timeout: 90_000 }, async () => {
  const bytes = readFileSync(new URL("../traces/small.swt", import.meta.url));
  const other = await serve({ session: { mode: "file", name: "small.swt", lesson: null }, trace: bytes });
  const { page, complaints } = await opened(other.url, { colorScheme: "dark" });
  await visit(page, truthOf(bytes), "small");
  await goTo(page, "#t=4&view=swarm");
  assert.equal(await page.evaluate("window.swarmlab.swarm.faults.has(0)"), true, "the tracker is down");
  await shot(page, "small-tracker-down");
  await page.context().close();
  other.server.close();
  assert.deepEqual(complaints, []);
});

browse("seeking shows that moment: by slider, by key, by link", {}, "#t=0", async (page) => {
  for (const share of [0.2, 0.9, 0.45]) {
    await page.evaluate(`(() => { const slider = document.querySelector(".track input"); slider.value = ${share * 10000}; slider.dispatchEvent(new Event("input")); })()`);
    await settled(page);
    const time = (await page.evaluate("window.swarmlab.clock.time")) as number;
    const swarm = truth.at(time);
    const found = await counted(page);
    assert.deepEqual([found.present, found.complete], [swarm.present, swarm.complete]);
    assert.equal(await page.evaluate("window.swarmlab.swarm.nodes.map((node) => (node ? node.haveCount : -1)).join()"), swarm.nodes.map((node) => node?.haveCount ?? -1).join());
  }
  await page.keyboard.press("Home");
  await settled(page);
  assert.equal(await page.evaluate("window.swarmlab.clock.time"), 0);
  await page.keyboard.press("ArrowRight");
  const first = (await page.evaluate("window.swarmlab.clock.time")) as number;
  assert.equal(first > 0, true);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await page.evaluate("window.swarmlab.clock.time"), first, "a step forth and back");
  await page.keyboard.press("Space");
  assert.equal(await page.evaluate("window.swarmlab.clock.playing"), true);
  await page.keyboard.press("Space");
  await page.keyboard.press("3");
  await settled(page);
  assert.equal(await page.locator(".chart").first().isVisible(), true);
  await until(page, "location.hash.includes('view=lines')");
});

browse("a click on a time line moves the clock there", {}, "#t=0&view=lines", async (page) => {
  const box = (await page.locator(".chart .u-over").first().boundingBox())!;
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await settled(page);
  const time = (await page.evaluate("window.swarmlab.clock.time")) as number;
  assert.equal(Math.abs(time / truth.recording.end - 0.5) < 0.1, true, `${time}`);
});

browse("a peer is chosen by a click, its connections are those of the trace", {}, `#t=${MIDDLE / 1e6}&view=swarm`, async (page) => {
  const spot = (await page.evaluate(`(() => {
    const box = document.querySelector(".picture canvas").getBoundingClientRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  })()`)) as { x: number; y: number };
  await page.mouse.move(spot.x, spot.y);
  await settled(page);
  assert.match(await text(page, ".picture .tip"), /peer 0 · origin · seed/);
  await page.mouse.click(spot.x, spot.y);
  await settled(page);
  const swarm = truth.at(MIDDLE);
  const links = openLinks(swarm.nodes[0]!);
  assert.equal(links.length > 0, true);
  assert.equal(await page.locator('[data-count="connections"] tbody tr').count(), links.length);
  const said = await text(page, '[data-count="connections"] tbody');
  for (const link of links) assert.equal(said.includes(whyWords(link.why, link.whyChoke)), true, whyWords(link.why, link.whyChoke));
  await shot(page, "docked");
  await page.locator('[data-count="connections"] button').first().click();
  await settled(page);
  await page.keyboard.press("4");
  await settled(page);
  await shot(page, "connection");
});

/** The records of one link from the moment it opened. */
function recordsOf(node: number, conn: number, from: number): Record[] {
  let records: Record[] = [];
  for (const listing of collect(truth.recording, { node, conn }, from, Infinity)) records = listing.records;
  return records;
}

browse("a message on the page has the bytes of the message", {}, "", async (page) => {
  const link = openLinks(truth.at(MIDDLE).nodes[1]!)[0];
  const records = recordsOf(1, link.conn, link.openedAt);
  const wanted = [5, 14, 6, 7, 4, 1, 2].map((id) => records.findIndex((record) => record.message === id && (record.kind === Kind.Sent || record.kind === Kind.Received))).filter((at) => at >= 0);
  assert.equal(wanted.length >= 4, true, "several kinds of messages");
  for (const at of wanted) {
    await goTo(page, `#t=${MIDDLE / 1e6}&view=inspector&peer=1&conn=${link.conn}&message=${at}`);
    const expected = hex(messageBytes(records[at]).bytes);
    const shown = (await page.locator(".detail .dump .hex").allInnerTexts()).join("").replace(/\s+/g, "");
    assert.equal(shown, expected);
    if (records[at].message === 7) assert.match(await text(page, ".detail .note"), /not kept in a trace/);
  }
  await shot(page, "message");
});

browse("both handshakes of a link are 68 bytes in five fields", {}, "", async (page) => {
  const link = openLinks(truth.at(MIDDLE).nodes[1]!)[0];
  await goTo(page, `#t=${MIDDLE / 1e6}&view=inspector&peer=1&conn=${link.conn}&message=0`);
  assert.deepEqual(await page.locator(".detail figure").evaluateAll((figures) => figures.map((figure) => (figure as HTMLElement).dataset.bytes)), ["68", "68"]);
  assert.equal(await page.locator(".detail figure").first().locator(".box").count(), 5);
  const shown = (await page.locator(".detail figure").first().locator(".hex").allInnerTexts()).join("").replace(/\s+/g, "");
  assert.equal(shown.startsWith("13426974546f7272656e742070726f746f636f6c"), true);
  assert.equal(shown.slice(56, 96), truth.recording.header?.content.info_hash);
  await shot(page, "handshake");
});

browse("an announce is explained with its keys, the reply as a tree", {}, "", async (page) => {
  let records: Record[] = [];
  for (const listing of collect(truth.recording, { node: 1 }, 0, Infinity)) records = listing.records;
  const announce = records.findIndex((record) => record.kind === Kind.Announce);
  await goTo(page, `#t=1&view=inspector&peer=1&message=${announce}`);
  for (const key of ["info_hash", "peer_id", "left", "compact"]) assert.equal((await text(page, ".detail .fields")).includes(key), true, key);
  await shot(page, "announce");
  const reply = records.findIndex((record) => record.kind === Kind.Reply);
  await goTo(page, `#t=1&view=inspector&peer=1&message=${reply}`);
  const said = await text(page, ".detail .fields");
  for (const key of ["interval", "peers"]) assert.equal(said.includes(key), true, key);
  await shot(page, "reply");
});

browse("the matrix says how rare the rarest is, and sorts", {}, `#t=${MIDDLE / 1e6}&view=matrix`, async (page) => {
  const swarm = truth.at(MIDDLE);
  const rows = rowsOf(swarm, "progress", null);
  const said = await text(page, '[data-count="matrix"]');
  assert.equal(said.startsWith(`${rows.length} peers × ${swarm.pieceCount} pieces; the rarest: ${scarcity(swarm.availability).least} cop`), true, said);
  await page.locator('select[aria-label="Sort rows by"]').selectOption("rate");
  await until(page, "location.hash.includes('sort=rate')");
});

browse("at 360 pixels every view fits its width", { viewport: { width: 360, height: 740 } }, `#t=${MIDDLE / 1e6}&view=swarm`, async (page) => {
  for (const view of ["swarm", "matrix", "lines", "inspector", "all"]) {
    await goTo(page, `#t=${MIDDLE / 1e6}&view=${view}&peer=1`);
    assert.equal(await page.evaluate("document.documentElement.scrollWidth <= 360"), true, view);
    await shot(page, `phone-${view}`);
  }
  const link = openLinks(truth.at(MIDDLE).nodes[1]!)[0];
  await goTo(page, `#t=${MIDDLE / 1e6}&view=inspector&peer=1&conn=${link.conn}&message=0`);
  await shot(page, "phone-handshake");
});

browse("it is dark for who likes it dark, and the button turns it", { colorScheme: "dark" }, `#t=${MIDDLE / 1e6}`, async (page) => {
  assert.equal(await page.evaluate("document.documentElement.dataset.theme"), "dark");
  await shot(page, "dark");
  await page.locator('button[aria-label="Light or dark"]').click();
  await settled(page);
  assert.equal(await page.evaluate("document.documentElement.dataset.theme"), "light");
  assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(245, 244, 239)");
});

browse("with reduced motion nothing moves that does not mean time", { reducedMotion: "reduce" }, `#t=${MIDDLE / 1e6}`, async (page) => {
  // Without motion the picture depends on the moment alone: drawn twice it is the same.
  const picture = (): Promise<unknown> => page.evaluate("document.querySelector('.picture canvas').toDataURL()");
  const one = await picture();
  await goTo(page, `#t=${(MIDDLE + 1) / 1e6}`);
  await goTo(page, `#t=${MIDDLE / 1e6}`);
  assert.equal(await picture(), one);
});

browse("help opens with a key and lists the lessons", {}, "", async (page) => {
  await page.keyboard.press("?");
  assert.equal(await page.locator("dialog.help").isVisible(), true);
  assert.match(await text(page, "dialog.help"), /Choking Who may ask/);
  await shot(page, "help");
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await page.keyboard.type("peer 2");
  await page.keyboard.press("Enter");
  await settled(page);
  assert.equal(await page.evaluate("window.swarmlab.place.peer"), 2);
});

/** Serves these bytes as the trace, and gives what the page says of them. */
async function told(bytes: Uint8Array, name: string): Promise<string> {
  const other = await serve({ session: { mode: "file", name: "bad.swt", lesson: null }, trace: bytes });
  const { page, complaints } = await opened(other.url);
  await settled(page);
  const said = await text(page, ".notices");
  await shot(page, name);
  await page.context().close();
  other.server.close();
  assert.deepEqual(complaints, []);
  return said;
}

test("bad traces are told in words, with what can be read of them", { timeout: 120_000 }, async () => {
  assert.match(await told(new TextEncoder().encode("PK\u0003\u0004 something else"), "bad-foreign"), /not a trace/);
  assert.match(await told(Uint8Array.from(TRACE, (byte, at) => (at === 14 ? 7 : byte)), "bad-version"), /version 7 of the format, and this page reads version 1/);
  assert.match(await told(TRACE.subarray(0, TRACE.length - 5), "bad-truncated"), /cut short or is still being written/);
  assert.match(await told(TRACE.subarray(0, 40), "bad-short"), /ends before its header/);
  const flipped = Uint8Array.from(synthetic({ peers: 8, pieces: 16, full: 8, seconds: 10, connections: 4, blocksPerSecond: 10 }).bytes);
  flipped[Math.floor(flipped.length * 0.7)] ^= 0x40;
  const said = await told(flipped, "bad-broken");
  assert.match(said, /check sum .*byte .*before it is shown: [1-9]\d* records/);
});

test("a page with its trace inside opens from disk and fetches nothing", { timeout: 60_000 }, async () => {
  const script = asset("page.js").replaceAll("</script", "<\\/script").replaceAll("<!--", "\\x3c!--");
  const packed = deflateRawSync(TRACE).toString("base64");
  const document = asset("index.html")
    .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${asset("page.css")}</style>`)
    .replace(/<script type="module"[^>]*><\/script>/, () => `<script id="trace" type="application/octet-stream" data-encoding="deflate-raw">${packed}</script><script type="module">${script}</script>`);
  const other = await serve({ document });
  const { page, complaints } = await opened(other.url);
  const asked: string[] = [];
  page.on("request", (request) => { if (!request.url().startsWith("data:")) asked.push(request.url()); });
  await page.reload();
  await visit(page, truth, "alone");
  await page.context().close();
  other.server.close();
  assert.deepEqual(complaints, []);
  assert.deepEqual(asked, [other.url]);
});

test("a lesson asks, shows where to look, and answers", { timeout: 60_000 }, async () => {
  const lesson = {
    name: "handshake", title: "The handshake", question: "What do two peers say first?", answer: "Sixty-eight bytes each.\n\nThen messages.", next: "choke",
    look: [{ text: "A link opens", at_us: MIDDLE, view: "inspector", select: "peer:1 conn:0" }, { text: "Who has what", at_us: 1_000_000, view: "matrix" }],
    pictures: [
      { kind: "participants", title: "Who takes part" }, { kind: "bencode", title: "A string", bytes_hex: "353a68656c6c6f" }, { kind: "bencode", bytes_hex: hex(new TextEncoder().encode("d5:hello5:worlde")) },
      { kind: "reply", title: "A reply", bytes_hex: hex(new TextEncoder().encode("d8:intervali1800e5:peers0:e")) },
      { kind: "request", text_hex: hex(new TextEncoder().encode("GET /announce?port=6881&left=0 HTTP/1.1\r\n\r\n")) },
      { kind: "torrent", bytes_hex: hex(new TextEncoder().encode(`d4:infod6:lengthi4e4:name1:x12:piece lengthi16384e6:pieces20:${"h".repeat(20)}ee`)) },
      { kind: "handshake", bytes_hex: `13${hex(new TextEncoder().encode("BitTorrent protocol"))}${"00".repeat(8)}${"ab".repeat(40)}` },
    ],
  };
  const other = await serve({ session: { mode: "file", name: "x", lesson }, trace: TRACE });
  const { page, complaints } = await opened(other.url);
  await settled(page);
  assert.match(await text(page, ".lesson"), /What do two peers say first\?/);
  assert.equal(await page.locator(".lesson figure").count(), 6);
  assert.equal(await page.locator(".lesson .answer p").first().isVisible(), false, "the answer waits");
  await page.locator(".lesson .answer summary").click();
  assert.equal(await page.locator(".lesson .answer p").first().isVisible(), true);
  await page.locator(".lesson .step").first().click();
  await settled(page);
  assert.deepEqual(await page.evaluate("[window.swarmlab.clock.time, window.swarmlab.place.view, window.swarmlab.place.peer, window.swarmlab.place.conn]"), [MIDDLE, "inspector", 1, 0]);
  await shot(page, "lesson");
  await page.context().close();
  const pictures = await serve({ session: { mode: "pictures", name: "x", lesson: { ...lesson, pictures: lesson.pictures.slice(1) } } });
  const second = await opened(pictures.url);
  await settled(second.page);
  assert.equal(await second.page.locator(".lesson figure").count(), 6);
  await shot(second.page, "lesson-pictures");
  await second.page.context().close();
  for (const each of [other, pictures]) each.server.close();
  assert.deepEqual([...complaints, ...second.complaints], []);
});

test("a hundred thousand peers are counted, a sample is drawn, and the page says so", { timeout: 120_000 }, async () => {
  const big = synthetic({ peers: 100_000, pieces: 16, full: 40, seconds: 4, connections: 6, blocksPerSecond: 10 });
  const other = await serve({ session: { mode: "file", name: "big", lesson: null }, trace: big.bytes });
  const { page, complaints } = await opened(`${other.url}#t=4&view=swarm`);
  await settled(page);
  assert.equal(await text(page, '[data-count="swarm"]'), `${big.swarm.present} here, ${big.swarm.complete} complete`);
  const note = await text(page, ".legend .note");
  assert.match(note, /Of 100000 peers, 40 are drawn one by one; the others are in the counts by group/);
  assert.match(note, /40 of 100000 peers are recorded with every message/);
  assert.equal(await drawn(page, ".picture canvas"), true);
  await shot(page, "hundred-thousand");
  await page.context().close();
  other.server.close();
  assert.deepEqual(complaints, []);
});
