// Colours of the page as the canvases need them. Groups begin with the hues of Okabe and Ito, shaded per theme until every
// pair stays apart for the colour-blind and every colour stays visible on its ground (tests/unit/looks.test.ts).

export interface Theme {
  dark: boolean;
  ground: string;
  panel: string;
  ink: string;
  dim: string;
  line: string;
  accent: string;
  /** What is scarce, and what is wrong. */
  alarm: string;
  groups: string[];
}

export const LIGHT: Theme = {
  dark: false, ground: "#f5f4ef", panel: "#fffefb", ink: "#15181c", dim: "#5a626d", line: "#dedbd0", accent: "#0b57d0", alarm: "#c2410c",
  groups: ["#d16c00", "#1164ca", "#1f9e65", "#ac428b", "#7a3b00", "#0096ff", "#336857", "#826200"],
};

export const DARK: Theme = {
  dark: true, ground: "#0d1015", panel: "#141920", ink: "#e9ecf0", dim: "#9aa4b1", line: "#29313c", accent: "#7db4ff", alarm: "#ff7a45",
  groups: ["#deca2f", "#458fe8", "#00c782", "#ff92d2", "#b06a2c", "#a9e1ff", "#a47d88", "#fbff2c"],
};

const KEY = "swarmlab-theme";
let chosen: "light" | "dark" | null = stored();

function stored(): "light" | "dark" | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null; // a page from disk may have no storage
  }
}

export function theme(): Theme {
  const dark = chosen === null ? matchMedia("(prefers-color-scheme: dark)").matches : chosen === "dark";
  return dark ? DARK : LIGHT;
}

/** Tells the style sheet, and `changed` whenever the theme is another. */
export function followTheme(changed: () => void): void {
  const apply = (): void => {
    document.documentElement.dataset.theme = theme().dark ? "dark" : "light";
    changed();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  onToggle = apply;
  apply();
}

let onToggle: () => void = () => undefined;

export function toggleTheme(): void {
  chosen = theme().dark ? "light" : "dark";
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // The choice then lasts as long as the page.
  }
  onToggle();
}

export const groupColour = (of: Theme, group: number): string => of.groups[group % of.groups.length];

/** `#rrggbb` with a share of opacity. */
export function faded(colour: string, share: number): string {
  return `${colour}${Math.round(Math.max(0, Math.min(1, share)) * 255).toString(16).padStart(2, "0")}`;
}

/** Red, green, blue of `#rrggbb`. */
export function rgb(colour: string): [number, number, number] {
  const value = parseInt(colour.slice(1, 7), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
