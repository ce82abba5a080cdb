// The menu: what the program can show when nothing was named. Each entry is a link that opens it in this page.
import { fill, h } from "../ui/dom.js";
import { linkTo, type Entry } from "../ui/source.js";

export class Menu {
  readonly element = h("section", { class: "menu", "aria-label": "What there is to see", hidden: true });

  show(entries: readonly Entry[]): void {
    const part = (title: string, about: string, kind: Entry["kind"]): (HTMLElement | null)[] => {
      const those = entries.filter((entry) => entry.kind === kind);
      if (those.length === 0) return [];
      return [h("h2", {}, title), h("p", { class: "note" }, about), h("ul", { class: "cards" }, ...those.map(card))];
    };
    fill(this.element, ...part("Lessons", "Each asks a question, runs a swarm, and answers with the numbers of that run.", "lesson"),
      ...part("Swarms", "Simulated while you watch.", "scenario"));
    this.element.hidden = false;
  }
}

function card(entry: Entry): HTMLElement {
  return h("li", {}, h("a", { href: linkTo(entry.open) }, h("b", {}, entry.title || entry.name), h("span", {}, entry.question)));
}
