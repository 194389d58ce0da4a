// Times that stay right while the page is open.

import { now } from "../core/clock.js";
import { ago, duration, millis, moment, ticking } from "../core/fmt.js";
import { h } from "../core/h.js";

/**
 * How long ago, with the whole time on hover.
 * @param {string | null | undefined} time
 */
export function since(time) {
  if (!time) return h("span", { class: "muted" }, "–");
  return h("time", { datetime: time, title: moment(time) }, () => ago(time, now.value));
}

/** @param {string | null | undefined} time */
export const at = (time) => (time ? h("time", { datetime: time }, moment(time)) : h("span", { class: "muted" }, "–"));

/**
 * From start to end, ticking while there is no end.
 * @param {() => ({ started_at: string | null, finished_at: string | null, duration_ms?: number | null })} read
 */
export function elapsed(read) {
  return () => {
    const part = read();
    const started = millis(part.started_at);
    if (started === null) return "–";
    const finished = millis(part.finished_at);
    return finished === null ? ticking(now.value - started) : duration(part.duration_ms ?? finished - started);
  };
}
