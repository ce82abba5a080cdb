// What the keys do, and the course of lessons, in a dialog.
import { fill, h } from "../ui/dom.js";
import { linkTo, type Entry } from "../ui/source.js";

const KEYS: [string, string][] = [
  ["space", "play or pause"], ["← →", "step to the event before or after (of the selected peer or link)"], ["shift ← →", "a hundredth of the run back or on"],
  ["home, end", "begin and end"], ["− +", "slower, faster"], ["1 2 3 4", "swarm, pieces, time lines, inspector"], ["5", "all four"],
  ["[ ]", "the peer before or after, in the swarm"], ["/", "search for a peer or a piece"], ["esc", "up: from event to link, to peer, to all"], ["t", "light or dark"], ["?", "this help"],
];

export class Help {
  readonly element = h("dialog", { class: "help", "aria-label": "Help" });
  private readonly lessons = h("div", { class: "lessons" });

  constructor() {
    const close = h("button", { type: "button", onclick: () => this.element.close() }, "Close");
    fill(this.element, h("h2", {}, "Keys"), h("dl", {}, ...KEYS.flatMap(([key, text]) => [h("dt", {}, ...key.split(" ").map((part) => h("kbd", {}, part))), h("dd", {}, text)])),
      h("p", { class: "note" }, "The address of this page carries the time, the view and the selection: a link shows what you see."), this.lessons, close);
    this.element.addEventListener("click", (event) => { if (event.target === this.element) this.element.close(); });
  }

  toggle(): void {
    if (this.element.open) this.element.close();
    else this.element.showModal();
  }

  /** Lists what else the program can show. */
  list(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    fill(this.lessons, h("h2", {}, "Lessons"), h("dl", {}, ...entries.filter((entry) => entry.kind !== "scenario").flatMap((entry) =>
      [h("dt", {}, h("a", { href: linkTo(entry.open) }, entry.name)), h("dd", {}, h("b", {}, entry.title), " ", entry.question)])));
  }
}
