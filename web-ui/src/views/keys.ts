// The keyboard. Keys that a focused field needs stay with the field.
import { VIEWS } from "../ui/address.js";
import type { App } from "../ui/app.js";
import { toggleTheme } from "../ui/theme.js";

export interface Verbs {
  search(): void;
  help(): void;
}

export function listen(app: App, verbs: Verbs): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = event.target as HTMLElement;
    const typing = target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type !== "range");
    if (typing) {
      if (event.key === "Escape") target.blur();
      return;
    }
    const pressed = target instanceof HTMLButtonElement || target.tagName === "SUMMARY";
    if (act(app, verbs, event, pressed)) event.preventDefault();
  });
}

/** True if the key was one of ours. */
function act(app: App, verbs: Verbs, event: KeyboardEvent, onButton: boolean): boolean {
  const view = VIEWS[Number(event.key) - 1];
  if (view) {
    app.show(view);
    return true;
  }
  switch (event.key) {
    case " ":
      if (onButton) return false;
      app.togglePlay();
      return true;
    case "ArrowLeft":
    case "ArrowRight": {
      const forward = event.key === "ArrowRight";
      if (event.shiftKey) app.jump(forward ? 0.01 : -0.01);
      else app.step(forward);
      return true;
    }
    case "Home": app.clock.seek(0); return true;
    case "End": app.clock.seek(app.clock.end); return true;
    case "-": app.faster(-1); return true;
    case "+":
    case "=": app.faster(1); return true;
    case "/": verbs.search(); return true;
    case "?": verbs.help(); return true;
    case "t": toggleTheme(); return true;
    case "Escape": up(app); return true;
    default: return false;
  }
}

function up(app: App): void {
  const { message, conn, piece } = app.place;
  if (message !== null) app.goTo({ message: null });
  else if (conn !== null) app.goTo({ conn: null });
  else if (app.place.peer !== null) app.selectPeer(null);
  else if (piece !== null) app.goTo({ piece: null });
}
