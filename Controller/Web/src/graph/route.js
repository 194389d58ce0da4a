// Orthogonal edges between ranks. Each gap between two ranks is a channel of vertical tracks; the edges that leave one node share a
// track, and edges whose verticals would lie upon each other get different ones.

/** @typedef {{rank: number, y: number, height: number, box: {id: string, width: number} | null}} Stop */

const TRACK = 8;

/**
 * @param {Stop} from
 * @param {Stop} to
 */
const isLevel = (from, to) => Math.abs(from.y - to.y) <= 4;

/**
 * @param {Stop[][]} chains For each edge the stops that it passes, one in each rank.
 * @param {number[]} widths Of the ranks.
 * @param {number} gap Least width of a channel.
 * @returns {{columns: number[], edges: {from: string, to: string, points: [number, number][]}[], width: number}}
 */
export function route(chains, widths, gap) {
  const tracks = widths.map(() => /** @type {Map<Stop, number>} */ (new Map()));
  const spans = verticals(chains, widths.length);
  const counts = widths.map((_, rank) => assign(/** @type {any} */ (spans[rank]), /** @type {any} */ (tracks[rank])));
  /** @type {number[]} */
  const columns = [];
  let x = 0;
  widths.forEach((width, rank) => {
    columns.push(x);
    x += width + (rank + 1 < widths.length ? Math.max(gap, (/** @type {number} */ (counts[rank]) + 1) * TRACK + gap / 2) : 0);
  });
  const edges = chains.map((chain) => {
    const first = /** @type {Stop} */ (chain[0]);
    const last = /** @type {Stop} */ (chain[chain.length - 1]);
    /** @type {[number, number][]} */
    const points = [[/** @type {number} */ (columns[first.rank]) + (first.box?.width ?? 0), first.y]];
    for (let at = 0; at + 1 < chain.length; at++) {
      const from = /** @type {Stop} */ (chain[at]);
      const to = /** @type {Stop} */ (chain[at + 1]);
      if (isLevel(from, to)) continue;
      const track = tracks[from.rank]?.get(from) ?? 0;
      const count = Math.max(1, counts[from.rank] ?? 1);
      const left = /** @type {number} */ (columns[from.rank]) + /** @type {number} */ (widths[from.rank]);
      const room = /** @type {number} */ (columns[to.rank]) - left;
      const at2 = Math.round(left + (room * (track + 1)) / (count + 1));
      points.push([at2, from.y], [at2, to.y]);
    }
    // A step of a few pixels is no bend: the line meets its end a little off the middle.
    points.push([/** @type {number} */ (columns[last.rank]), /** @type {[number, number]} */ (points[points.length - 1])[1]]);
    return { from: first.box?.id ?? "", to: last.box?.id ?? "", points };
  });
  return { columns, edges, width: x };
}

/**
 * For each channel the sources of its verticals, with the highest and the lowest place that each reaches.
 * @param {Stop[][]} chains @param {number} ranks
 */
function verticals(chains, ranks) {
  const all = Array.from({ length: ranks }, () => /** @type {Map<Stop, [number, number]>} */ (new Map()));
  for (const chain of chains) {
    for (let at = 0; at + 1 < chain.length; at++) {
      const from = /** @type {Stop} */ (chain[at]);
      const to = /** @type {Stop} */ (chain[at + 1]);
      if (isLevel(from, to)) continue;
      const spans = all[from.rank];
      const span = spans?.get(from);
      if (!span) spans?.set(from, [Math.min(from.y, to.y), Math.max(from.y, to.y)]);
      else if (to.y < span[0]) span[0] = to.y;
      else if (to.y > span[1]) span[1] = to.y;
    }
  }
  return all;
}

/**
 * Gives the sources of a channel their tracks: first fit over the spans of their verticals.
 * @param {Map<Stop, [number, number]>} spans @param {Map<Stop, number>} tracks
 * @returns {number} How many tracks there are.
 */
function assign(spans, tracks) {
  /** @type {{low: number, high: number, list: [number, number][]}[]} */
  const taken = [];
  // Those that go up turn late and those that go down turn early, from top to bottom: so fewer of them cross.
  const order = [...spans].sort((a, b) => a[0].y - b[0].y);
  for (const [stop, span] of order) {
    const [from, to] = [span[0] - 2, span[1] + 2];
    let at = 0;
    for (; at < taken.length; at++) {
      const { low, high, list } = /** @type {typeof taken[number]} */ (taken[at]);
      if (high < from || low > to || list.every((one) => one[1] < from || one[0] > to)) break;
    }
    const track = (taken[at] ??= { low: Infinity, high: -Infinity, list: [] });
    track.low = Math.min(track.low, span[0]);
    track.high = Math.max(track.high, span[1]);
    track.list.push(span);
    tracks.set(stop, at);
  }
  return taken.length;
}

/**
 * A path through points with rounded corners, as SVG path data.
 * @param {[number, number][]} points @param {number} [radius]
 */
export function roundedPath(points, radius = 6) {
  const first = points[0];
  if (!first) return "";
  let path = `M${first[0]} ${first[1]}`;
  for (let at = 1; at < points.length; at++) {
    const [x, y] = /** @type {[number, number]} */ (points[at]);
    const next = points[at + 1];
    if (!next) {
      path += `L${x} ${y}`;
      break;
    }
    const [px, py] = /** @type {[number, number]} */ (points[at - 1]);
    const inLength = Math.hypot(x - px, y - py);
    const outLength = Math.hypot(next[0] - x, next[1] - y);
    const r = Math.min(radius, inLength / 2, outLength / 2);
    if (r < 1) {
      path += `L${x} ${y}`;
      continue;
    }
    const enter = [x - ((x - px) / inLength) * r, y - ((y - py) / inLength) * r];
    const leave = [x + ((next[0] - x) / outLength) * r, y + ((next[1] - y) / outLength) * r];
    path += `L${enter[0]} ${enter[1]}Q${x} ${y} ${leave[0]} ${leave[1]}`;
  }
  return path;
}
