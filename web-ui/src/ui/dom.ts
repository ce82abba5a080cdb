// Elements in one expression, and text as people write numbers.

type Child = Node | string | null | undefined | false;
type Props = { [name: string]: string | number | boolean | EventListener | undefined | ((event: never) => void) };

/** `h("button", { class: "x", onclick: f, "aria-label": "y" }, "text")`. Text is text: nothing here is parsed as HTML. */
export function h<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  fill(element, ...children);
  return element;
}

export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
}

/** Sets text only where it differs, so that a screen reader is told of changes alone. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A canvas that fits its box in device pixels; gives the size in CSS pixels, or null while it has none. */
export function fit(canvas: HTMLCanvasElement): { width: number; height: number; scale: number } | null {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (width === 0 || height === 0) return null;
  const scale = Math.min(2, window.devicePixelRatio || 1);
  const wide = Math.round(width * scale);
  const high = Math.round(height * scale);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  return { width, height, scale };
}

export function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const made = canvas.getContext("2d");
  if (!made) throw new Error("this browser has no canvas");
  return made;
}

export const reducedMotion = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
