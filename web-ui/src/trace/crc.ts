// CRC-32 of IEEE 802.3, four bytes a step (slicing by four).

const TABLES: Uint32Array[] = (() => {
  const first = new Uint32Array(256).map((_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  const tables = [first];
  for (let step = 1; step < 4; step += 1) {
    const before = tables[step - 1];
    tables.push(first.map((_, index) => (before[index] >>> 8) ^ first[before[index] & 0xff]));
  }
  return tables;
})();

export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const [t0, t1, t2, t3] = TABLES;
  let value = 0xffffffff;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    value ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    value = t3[value & 0xff] ^ t2[(value >>> 8) & 0xff] ^ t1[(value >>> 16) & 0xff] ^ t0[value >>> 24];
  }
  for (; at < end; at += 1) value = (value >>> 8) ^ t0[(value ^ bytes[at]) & 0xff];
  return ~value >>> 0;
}
