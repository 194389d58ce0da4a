// Times of lines: nothing, since the attempt began, or the clock's.

/** @typedef {"off" | "elapsed" | "clock"} Times */

/** @type {Times[]} */
export const TIMES = ["off", "elapsed", "clock"];

/** @param {number} value @param {number} [digits] */
const pad = (value, digits = 2) => String(value).padStart(digits, "0");

/**
 * `00:31.9`, `1:02:31.9`.
 * @param {number} ms
 */
export function elapsed(ms) {
  const tenths = Math.floor(ms / 100);
  const seconds = Math.floor(tenths / 10);
  const hours = Math.floor(seconds / 3600);
  const rest = `${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}.${tenths % 10}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/**
 * `14:03:11.204`.
 * @param {number} at Milliseconds since 1970.
 */
export function clockTime(at) {
  const date = new Date(at);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}

/**
 * @param {Times} times @param {number | null | undefined} ms Since the attempt began. @param {number | null} start When that was.
 */
export function lineTime(times, ms, start) {
  if (times === "off" || ms === null || ms === undefined) return "";
  if (times === "clock" && start !== null) return clockTime(start + ms);
  return elapsed(ms);
}
