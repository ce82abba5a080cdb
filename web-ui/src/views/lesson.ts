// A lesson beside the run: its question, what to look at (each step moves the clock and the selection), and the answer.
// Lessons that are pictures of bytes are drawn with the same byte view as the inspector.
import { explainHandshake } from "../bytes/peer.js";
import { explainBencode, explainReply, explainRequest, explainTorrent, torrentTable } from "../bytes/tracker.js";
import { readSelection, VIEWS, type View } from "../ui/address.js";
import type { App, Panel } from "../ui/app.js";
import { fill, h } from "../ui/dom.js";
import { clock } from "../ui/numbers.js";
import { alone, linkTo, type Lesson, type Look, type Picture } from "../ui/source.js";
import { byteView } from "./byte-view.js";
import { Participants } from "./participants.js";
import { fromHex } from "./record-detail.js";

export class LessonPanel implements Panel {
  readonly element = h("aside", { class: "lesson", "aria-label": "Lesson", hidden: true });
  private lesson: Lesson | null = null;
  private participants: Participants[] = [];
  private steps: HTMLElement[] = [];

  draw(app: App): void {
    const lesson = app.session?.lesson ?? null;
    if (lesson !== this.lesson) {
      this.lesson = lesson;
      this.element.hidden = lesson === null;
      if (lesson) this.build(app, lesson);
    }
    for (const each of this.participants) each.draw(app);
  }

  private build(app: App, lesson: Lesson): void {
    const looks = lesson.look ?? [];
    this.steps = looks.map((look, index) => h("li", {}, h("button", { type: "button", class: "step", onclick: () => this.lookAt(app, look, index) },
      h("span", {}, look.text), look.at_us === undefined ? null : h("time", {}, clock(look.at_us)))));
    const answer = lesson.answer ? this.answer(lesson.answer) : null;
    this.participants = [];
    const pictures = (lesson.pictures ?? []).map((picture) => this.picture(picture));
    fill(this.element, h("p", { class: "kind" }, "Lesson"), h("h2", {}, lesson.title), h("p", { class: "question" }, lesson.question),
      looks.length > 0 ? h("ol", { class: "look" }, ...this.steps) : null, ...pictures, answer,
      lesson.next ? this.next(lesson.next) : null);
    this.element.classList.toggle("wide", pictures.length > 0);
  }

  private next(name: string): HTMLElement {
    if (alone()) return h("p", { class: "next" }, "Next: ", h("code", {}, `swarmlab watch lesson:${name}`));
    return h("p", { class: "next" }, "Next: ", h("a", { href: linkTo(`lesson:${name}`) }, name));
  }

  private lookAt(app: App, look: Look, index: number): void {
    app.goTo({
      ...(look.at_us === undefined ? {} : { time: look.at_us }),
      ...(VIEWS.includes(look.view as View) ? { view: look.view as View } : {}),
      ...readSelection(look.select ?? ""),
    });
    this.steps.forEach((step, at) => step.classList.toggle("current", at === index));
  }

  private answer(text: string): HTMLElement {
    return h("details", { class: "answer" }, h("summary", {}, "The answer"), ...text.split(/\n\s*\n/).map((paragraph) => h("p", {}, paragraph)));
  }

  private picture(picture: Picture): HTMLElement {
    const element = h("div", { class: `lesson-picture ${picture.kind}` }, picture.title ? h("h3", {}, picture.title) : null, picture.text ? h("p", {}, picture.text) : null);
    if (picture.kind === "participants") {
      const drawn = new Participants();
      this.participants.push(drawn);
      element.append(drawn.element);
      return element;
    }
    const bytes = fromHex(picture.bytes_hex ?? picture.text_hex ?? "");
    if (picture.kind === "torrent") element.append(tableOf(bytes));
    const explain = { bencode: explainBencode, torrent: explainTorrent, request: explainRequest, reply: explainReply, handshake: explainHandshake }[picture.kind];
    element.append(explain ? byteView(explain(bytes)) : h("p", { class: "note" }, `This page does not know pictures of the kind ${picture.kind}.`));
    return element;
  }
}

function tableOf(bytes: Uint8Array): HTMLElement {
  return h("table", { class: "torrent" }, h("tbody", {}, ...torrentTable(bytes).map((row) =>
    h("tr", {}, h("th", { scope: "row" }, row.name), h("td", {}, row.value), h("td", {}, h("small", {}, row.meaning))))));
}
