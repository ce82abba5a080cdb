// Where each peer of the swarm has its place: seeds in the middle, the others on rings around them, a sector for each group,
// in the order in which they appear. Depends on how many there are, never on what they do: so the picture stays put.

export interface Spot {
  x: number;
  y: number;
  radius: number;
}

export interface Sector {
  group: number;
  from: number;
  to: number;
}

export interface Layout {
  /** By group, by place in the group. */
  spots: Spot[][];
  sectors: Sector[];
  /** Of the outermost ring. */
  radius: number;
}

export interface Capacity {
  group: number;
  count: number;
  seeds: boolean;
}

const GAP = 0.05;
const LARGEST = 26;
/** The least distance of neighbours, in pixels, at which peers stand on one ring. */
const ONE_RING = 40;

export function layout(groups: readonly Capacity[], centreX: number, centreY: number, outer: number): Layout {
  const made: Layout = { spots: [], sectors: [], radius: outer };
  const around = groups.filter((group) => !group.seeds && group.count > 0);
  const inside = groups.filter((group) => group.seeds && group.count > 0);
  const total = around.reduce((sum, group) => sum + group.count, 0);
  const middle = inside.reduce((sum, group) => sum + group.count, 0);
  const inner = outer * (total === 0 ? 0 : total > 400 ? 0.34 : 0.44);
  sectorsOf(around, total, made);
  const spacing = fillSectors(made, around, centreX, centreY, inner, outer);
  fillMiddle(made, inside, centreX, centreY, total === 0 ? outer : inner * 0.72, middle, spacing);
  return made;
}

function sectorsOf(groups: readonly Capacity[], total: number, made: Layout): void {
  const least = 0.12;
  const weights = groups.map((group) => Math.max(group.count / Math.max(1, total), least / (2 * Math.PI)));
  const sum = weights.reduce((all, weight) => all + weight, 0);
  let from = -Math.PI / 2;
  groups.forEach((group, index) => {
    const width = (weights[index] / sum) * 2 * Math.PI;
    const gap = groups.length > 1 ? GAP : 0;
    made.sectors.push({ group: group.group, from: from + gap / 2, to: from + width - gap / 2 });
    from += width;
  });
}

/** Finds the widest spacing at which all fit, and places them; gives the spacing. */
function fillSectors(made: Layout, groups: readonly Capacity[], x: number, y: number, inner: number, outer: number): number {
  if (groups.length === 0) return LARGEST * 2.4;
  const edge = (spacing: number): number => outer - Math.min(LARGEST, spacing * 0.42);
  const fits = (spacing: number): boolean =>
    groups.every((group, index) => slots(made.sectors[index], spacing, inner, edge(spacing)) >= group.count);
  // One ring is the calmest picture: it is kept while its peers are large enough to read.
  const alone = ONE_RING;
  const ring = (spacing: number): boolean =>
    groups.every((group, index) => perRing(made.sectors[index], spacing, edge(spacing)) >= group.count);
  if (ring(alone)) return single(made, groups, ring, edge, x, y);
  let low = 0.5;
  let high = LARGEST * 3;
  if (fits(high)) low = high;
  else {
    for (let round = 0; round < 40; round += 1) {
      const spacing = (low + high) / 2;
      if (fits(spacing)) low = spacing;
      else high = spacing;
    }
  }
  const radius = Math.min(LARGEST, low * 0.4);
  groups.forEach((group, index) => {
    made.spots[group.group] = place(made.sectors[index], group.count, low, inner, edge(low), radius, x, y);
  });
  return low;
}

function single(
  made: Layout, groups: readonly Capacity[], ring: (spacing: number) => boolean, edge: (spacing: number) => number, x: number, y: number,
): number {
  let spacing = ONE_RING;
  while (spacing < LARGEST * 3 && ring(spacing + 1)) spacing += 1;
  const radius = Math.min(LARGEST, spacing * 0.4);
  groups.forEach((group, index) => {
    made.spots[group.group] = place(made.sectors[index], group.count, spacing, edge(spacing), edge(spacing), radius, x, y);
  });
  return spacing;
}

function ringsOf(spacing: number, inner: number, outer: number): number {
  return Math.max(1, Math.floor((outer - inner) / spacing) + 1);
}

function slots(sector: Sector, spacing: number, inner: number, outer: number): number {
  let sum = 0;
  for (let ring = 0; ring < ringsOf(spacing, inner, outer); ring += 1) sum += perRing(sector, spacing, outer - ring * spacing);
  return sum;
}

const perRing = (sector: Sector, spacing: number, radius: number): number => Math.floor(((sector.to - sector.from) * radius) / spacing);

function place(
  sector: Sector, count: number, spacing: number, inner: number, outer: number, radius: number, x: number, y: number,
): Spot[] {
  const rings = ringsOf(spacing, inner, outer);
  const capacity = slots(sector, spacing, inner, outer);
  const all: { angle: number; ring: number }[] = [];
  // Spread what there is over all rings alike, so that a few peers do not huddle at one end.
  for (let ring = 0; ring < rings; ring += 1) {
    const most = perRing(sector, spacing, outer - ring * spacing);
    const here = rings === 1 ? count : Math.ceil((most * count) / capacity);
    for (let index = 0; index < here; index += 1) {
      all.push({ angle: sector.from + ((index + 0.5) * (sector.to - sector.from)) / here, ring });
    }
  }
  all.sort((one, other) => one.angle - other.angle || one.ring - other.ring);
  return all.slice(0, count).map(({ angle, ring }) => {
    const distance = outer - ring * spacing;
    return { x: x + Math.cos(angle) * distance, y: y + Math.sin(angle) * distance, radius };
  });
}

/** A sunflower: as even as a disc can be filled. */
function fillMiddle(made: Layout, groups: readonly Capacity[], x: number, y: number, room: number, total: number, spacing: number): void {
  const fitting = total <= 1 ? LARGEST : Math.min(LARGEST, (room / Math.sqrt(total)) * 0.62);
  const radius = Math.max(1, Math.min(fitting, Math.max(spacing * 0.55, total <= 12 ? 9 : 2)));
  let index = 0;
  for (const group of groups) {
    const spots: Spot[] = [];
    for (let slot = 0; slot < group.count; slot += 1, index += 1) {
      const distance = total <= 1 ? 0 : room * Math.sqrt((index + 0.5) / total) * 0.92;
      const angle = index * 2.399963229728653;
      spots.push({ x: x + Math.cos(angle) * distance, y: y + Math.sin(angle) * distance, radius });
    }
    made.spots[group.group] = spots;
  }
}
