// Serves the built page and a trace as `swarmlab watch` does, and opens it in Debian's Chromium.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
const ASSETS = join(HERE, "../../../crates/web/assets");
export const SHOTS = process.env.SWARMLAB_SHOTS ?? join(HERE, "../../test-results");

export interface Served {
  session?: object;
  trace?: Uint8Array;
  lessons?: object[];
  /** A whole document in place of the page: a stand-alone report. */
  document?: string;
}

export const asset = (name: string): string => readFileSync(join(ASSETS, name), "utf8");

export async function serve(what: Served): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?")[0];
    const send = (type: string, body: string | Uint8Array): void => {
      response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body) });
      response.end(body);
    };
    if (path === "/") send("text/html", what.document ?? asset("index.html"));
    else if (path === "/page.js") send("text/javascript", asset("page.js"));
    else if (path === "/page.css") send("text/css", asset("page.css"));
    else if (path === "/session" && what.session) send("application/json", JSON.stringify(what.session));
    else if (path === "/trace" && what.trace) send("application/octet-stream", what.trace);
    else if (path === "/lessons") send("application/json", JSON.stringify(what.lessons ?? []));
    else response.writeHead(404).end();
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

let browser: Browser | null = null;

export async function launched(): Promise<Browser> {
  const path = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
  if (!path) throw new Error("there is no Chromium: install Debian's package chromium, or set CHROMIUM to its path");
  browser ??= await chromium.launch({ executablePath: path, args: ["--no-sandbox", "--disable-gpu"] });
  return browser;
}

export async function shut(): Promise<void> {
  await browser?.close();
  browser = null;
}

/** A page with its complaints: every console error and every exception. */
export async function opened(url: string, options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
  const context = await (await launched()).newContext({ viewport: { width: 1360, height: 860 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url);
  return { page, complaints };
}

/** Waits until the trace is read and the swarm stands where the clock is. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const app = (window as unknown as { swarmlab?: { recording: { closed: boolean; idle: boolean }; player: { there: boolean } | null } }).swarmlab;
    return app !== undefined && app.recording.closed && app.recording.idle && (app.player === null || app.player.there);
  });
  // Frames in which what was read is drawn; some panels draw a few times a second only. As text: what is compiled for node
  // has helpers that the page has not.
  await page.evaluate("new Promise((done) => { let left = 24; const next = () => (left-- > 0 ? requestAnimationFrame(next) : done()); next(); })");
}

export async function shot(page: Page, name: string): Promise<string> {
  mkdirSync(SHOTS, { recursive: true });
  const path = join(SHOTS, `${name}.png`);
  await page.screenshot({ path });
  return path;
}
