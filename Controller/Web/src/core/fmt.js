// Numbers, times and sizes as people read them.

/**
 * `3m 12s`, `48s`, `640ms`, `2h 5m`, `3d 4h`.
 * @param {number | null | undefined} ms
 */
export function duration(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "–";
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return ms < 10_000 ? `${(Math.floor(ms / 100) / 10).toFixed(1)}s` : `${seconds}s`;
  return wholeSeconds(seconds);
}

/**
 * The same without fractions, for what ticks.
 * @param {number | null | undefined} ms
 */
export function ticking(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "–";
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 ? `${seconds}s` : wholeSeconds(seconds);
}

/** @param {number} seconds */
function wholeSeconds(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${String(seconds % 60).padStart(2, "0")}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h ${String(minutes % 60).padStart(2, "0")}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/**
 * How long ago, in one unit: `now`, `40s`, `12m`, `5h`, `3d`, then the date.
 * @param {string | number | null | undefined} time RFC 3339, or ms since 1970
 * @param {number} now ms since 1970
 */
export function ago(time, now) {
  const at = millis(time);
  if (at === null) return "–";
  const seconds = Math.floor((now - at) / 1000);
  if (seconds < 5) return "now";
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  if (seconds < 86_400 * 14) return `${Math.floor(seconds / 86_400)}d`;
  return day(at);
}

/** @param {string | number | null | undefined} time @returns {number | null} ms since 1970 */
export function millis(time) {
  if (time === null || time === undefined || time === "") return null;
  const at = typeof time === "number" ? time : Date.parse(time);
  return Number.isFinite(at) ? at : null;
}

/** @param {number} value */
const two = (value) => String(value).padStart(2, "0");

/**
 * The local date: `2026-01-31`.
 * @param {string | number | null | undefined} time
 */
export function day(time) {
  const at = millis(time);
  if (at === null) return "–";
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/**
 * The local time of day: `14:03:11`.
 * @param {string | number | null | undefined} time
 */
export function clock(time) {
  const at = millis(time);
  if (at === null) return "–";
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/**
 * Date and time, local: `2026-01-31 14:03:11`.
 * @param {string | number | null | undefined} time
 */
export function moment(time) {
  return millis(time) === null ? "–" : `${day(time)} ${clock(time)}`;
}

/**
 * `1,204`.
 * @param {number | null | undefined} value
 */
export function count(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return String(Math.trunc(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/**
 * `412 B`, `1.2 MB`: powers of 1000.
 * @param {number | null | undefined} value
 */
export function bytes(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  let size = value;
  for (const unit of ["B", "KB", "MB", "GB", "TB"]) {
    if (size < 1000 || unit === "TB") return unit === "B" ? `${size} B` : `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}`;
    size /= 1000;
  }
  return "–";
}

/**
 * `94.1 %`.
 * @param {number | null | undefined} ratio from 0 to 1
 */
export function percent(ratio) {
  if (ratio === null || ratio === undefined || !Number.isFinite(ratio)) return "–";
  const value = ratio * 100;
  return `${value === 100 || value === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} %`;
}

/**
 * A commit's short name.
 * @param {string | null | undefined} commit
 */
export const sha = (commit) => (commit ?? "").slice(0, 7);
