// The page: puts the parts together and runs them, a frame at a time.
import "uplot/dist/uPlot.min.css";
import "./page.css";
import { App, type Panel } from "./ui/app.js";
import type { View } from "./ui/address.js";
import { h } from "./ui/dom.js";
import { menu, open, type Listener } from "./ui/source.js";
import { followTheme } from "./ui/theme.js";
import { ClockBar } from "./views/clock-bar.js";
import { HeaderBar } from "./views/header-bar.js";
import { Help } from "./views/help.js";
import { Inspector } from "./views/inspector.js";
import { listen } from "./views/keys.js";
import { LessonPanel } from "./views/lesson.js";
import { LinesView } from "./views/lines-view.js";
import { MatrixView } from "./views/matrix-view.js";
import { Menu } from "./views/menu.js";
import { Notices } from "./views/notices.js";
import { SwarmView } from "./views/swarm-view.js";

const HASH_EVERY_MS = 400;

function start(): void {
  const app = new App(location.hash);
  const help = new Help();
  const head = new HeaderBar(app, () => help.toggle());
  const notices = new Notices();
  const lesson = new LessonPanel();
  const views: { [view in Exclude<View, "all">]: Panel } = {
    swarm: new SwarmView(app), matrix: new MatrixView(app), lines: new LinesView(app), inspector: new Inspector(app),
  };
  const bar = new ClockBar(app);
  const stage = h("div", { class: "stage" }, ...Object.values(views).map((view) => view.element));
  const choices = new Menu();
  const main = h("main", { class: "main" }, lesson.element, choices.element, stage);
  document.head.append(icon());
  document.body.append(head.element, notices.element, main, bar.element, help.element);

  followTheme(() => app.themeChanged());
  listen(app, { search: () => head.search.focus(), help: () => help.toggle() });
  // The address that was asked for: the present one may by now be what this page wrote itself.
  window.addEventListener("hashchange", (event) => app.goToHash(new URL(event.newURL).hash));

  let before = performance.now();
  let written = "";
  let writtenAt = 0;
  const frame = (now: number): void => {
    app.tick(Math.min(250, now - before));
    before = now;
    show(app, stage);
    head.draw(app);
    notices.draw(app);
    lesson.draw(app);
    for (const view of Object.values(views)) if (view.element.offsetParent !== null) view.draw(app, now);
    bar.draw(app);
    if (now - writtenAt > HASH_EVERY_MS && app.player) {
      const hash = app.hash();
      writtenAt = now;
      if (hash !== written) history.replaceState(history.state, "", hash);
      written = hash;
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);

  const listener: Listener = {
    session: (session) => {
      app.session = session;
      document.body.classList.toggle("pictures", session.mode === "pictures");
      document.body.classList.toggle("choosing", session.mode === "menu");
      void menu().then((entries) => {
        help.list(entries);
        if (session.mode === "menu") choices.show(entries);
      });
      app.changed();
    },
    expected: (bytes) => { app.expected = bytes; },
    state: (state) => { app.run = state; },
    failed: (message) => { app.failure = message; },
  };
  void open(app.recording, listener).then((remote) => { app.remote = remote; });
  // For whoever opens the console, and for the tests.
  Object.assign(window, { swarmlab: app });
}

/** The sign of the page for its tab, inside the script: nothing is fetched. */
function icon(): HTMLLinkElement {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 -12 24 24"><circle r="11" fill="#0b57d0"/><rect x="-5" y="-5" width="10" height="10" rx="2.4" fill="#fff"/></svg>`;
  return h("link", { rel: "icon", href: `data:image/svg+xml,${encodeURIComponent(svg)}` });
}

/** Pixels that a view and the inspector beside it need; a lesson with pictures may leave less. */
const ROOM = 800;

/** Which views are in sight: the chosen one, with the inspector docked beside it where there is room and a selection. */
function show(app: App, stage: HTMLElement): void {
  const docked = app.place.peer !== null && app.place.view !== "inspector" && app.place.view !== "all" && stage.clientWidth >= ROOM;
  if (stage.dataset.view !== app.place.view) stage.dataset.view = app.place.view;
  stage.classList.toggle("docked", docked);
}

start();
