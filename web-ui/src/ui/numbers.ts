// Quantities as text: three digits, a unit, the same everywhere on the page.

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let rest = value;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? rest : three(rest)} ${units[unit]}`;
}

/** Bytes per second. */
export function rate(value: number): string {
  if (value < 1000) return `${Math.round(value)} B/s`;
  if (value < 1e6) return `${three(value / 1e3)} kB/s`;
  if (value < 1e9) return `${three(value / 1e6)} MB/s`;
  return `${three(value / 1e9)} GB/s`;
}

export const rateLimit = (value: number): string => (value === 0 ? "no limit known" : rate(value));

function three(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Microseconds as seconds, with the digits that tell moments apart. */
export function seconds(time: number, digits = 3): string {
  return `${(time / 1e6).toFixed(digits)} s`;
}

/** Microseconds as a clock for people: `1:02:03.4` or `12.34 s`. */
export function clock(time: number): string {
  const whole = time / 1e6;
  if (whole < 60) return `${whole.toFixed(2)} s`;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = (whole % 60).toFixed(1).padStart(4, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

export const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

export const count = (value: number): string => value.toLocaleString("en-US").replaceAll(",", "\u202f");

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export const hex = (data: Uint8Array): string => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Bytes as text: what is printable ASCII as it is, the rest as dots. */
export const ascii = (data: Uint8Array): string =>
  Array.from(data, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");

export function address(ip: Uint8Array, port: number): string {
  if (ip.length === 4) return `${ip.join(".")}:${port}`;
  const words: string[] = [];
  for (let at = 0; at < ip.length; at += 2) words.push(((ip[at] << 8) | ip[at + 1]).toString(16));
  // One run of zeros is written as two colons (RFC 5952).
  return `[${words.join(":").replace(/(^|:)0(:0)+(:|$)/, "::")}]:${port}`;
}
