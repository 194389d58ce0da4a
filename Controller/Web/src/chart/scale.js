// Scales and thinning that the charts share. Pure.

/** Points of a line at most; the server thins before, this is for what it did not. */
export const POINTS_MAX = 400;

/** Of a chart that nobody gave a size, in pixels. */
export const SIZE = { width: 640, height: 200 };

/**
 * Which of the points on an axis are named: the ends, and the middle where there is room.
 * @param {string[]} labels @param {number} width in pixels
 */
export function named(labels, width) {
  const last = labels.length - 1;
  if (last < 0) return [];
  const widest = Math.max(...labels.map((label) => label.length)) * 6.4 + 12;
  // Few and short ones have room for all of them.
  if (widest * labels.length <= width) return labels.map((_, at) => at);
  if (last === 0) return [0];
  const middle = Math.floor(last / 2);
  const needs = [0, middle, last].reduce((sum, at) => sum + (labels[at] ?? "").length * 6.4 + 12, 0);
  return last > 1 && needs <= width ? [0, middle, last] : [0, last];
}

/**
 * Round steps up to at least `most`: 0, 25, 50, 75, 100.
 * @param {number} max
 * @param {number} [count] About so many steps.
 */
export function niceTicks(max, count = 4) {
  if (!(max > 0)) return [0, 1];
  const raw = max / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= raw * 0.999) ?? power * 10;
  const ticks = [];
  for (let at = 0; ; at += step) {
    ticks.push(Number(at.toPrecision(12)));
    if (at >= max * 0.999) return ticks;
  }
}

/**
 * Fewer points that still show every peak: of each run of points the lowest and the highest.
 * @template {{y: number | null}} T
 * @param {T[]} points
 * @param {number} [most]
 * @returns {T[]}
 */
export function thin(points, most = POINTS_MAX) {
  if (points.length <= most) return points;
  const size = points.length / (most / 2);
  const kept = [];
  for (let from = 0; from < points.length; from += size) {
    const part = points.slice(Math.floor(from), Math.floor(from + size));
    let [low, high] = [-1, -1];
    part.forEach(({ y }, at) => {
      if (y === null) return;
      if (low < 0 || y < /** @type {number} */ (part[low]?.y)) low = at;
      if (high < 0 || y > /** @type {number} */ (part[high]?.y)) high = at;
    });
    for (const at of [...new Set([low, high])].sort((a, b) => a - b)) if (part[at]) kept.push(part[at]);
  }
  return /** @type {T[]} */ (kept);
}

/**
 * Lines of comma-separated values (RFC 4180).
 * @param {string[]} head
 * @param {(string | number | null)[][]} rows
 */
export function csv(head, rows) {
  const field = (/** @type {string | number | null} */ value) => {
    const text = value === null ? "" : String(value);
    // What begins like a formula is text, whatever a spreadsheet thinks.
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  };
  return [head, ...rows].map((row) => row.map(field).join(",") + "\r\n").join("");
}
