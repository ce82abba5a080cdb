// The still pictures of the book: a page for each lesson, with the run that the lesson makes, at the moment in the middle of what it
// tells one to look at. Called by `scripts/book/make`: stills.ts PROGRAM FOLDER.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { opened, settled, shut } from "./browser/served.js";

const [program, folder] = process.argv.slice(2).map((path) => resolve(path));
if (!program || !folder) throw new Error("usage: stills.ts PROGRAM FOLDER");

interface Entry {
  name: string;
}

const scratch = mkdtempSync(join(tmpdir(), "stills-"));
mkdirSync(folder, { recursive: true });
try {
  const { lessons } = JSON.parse(execFileSync(program, ["lesson", "list", "--json"], { encoding: "utf8" })) as { lessons: Entry[] };
  for (const { name } of lessons) {
    const document = join(scratch, `${name}.html`);
    execFileSync(program, ["report", `lesson:${name}`, "-o", document, "-q"]);
    const { page, complaints } = await opened(pathToFileURL(document).href, { viewport: { width: 1200, height: 750 }, colorScheme: "light", reducedMotion: "reduce" });
    await settled(page);
    const steps = page.locator(".lesson .step");
    const count = await steps.count();
    if (count > 0) await steps.nth(Math.floor(count / 2)).click();
    await settled(page);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await page.context().close();
    if (complaints.length > 0) throw new Error(`${name}: ${complaints.join("; ")}`);
  }
} finally {
  await shut();
  rmSync(scratch, { recursive: true, force: true });
}
