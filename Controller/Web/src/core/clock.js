// The time, once a second, for what ticks. It stands still while the page is hidden or no longer live.

import { live } from "./ws.js";
import { signal } from "./signal.js";

/** The controller's time, ms since 1970. */
export const now = signal(Date.now());

/** @type {ReturnType<typeof setTimeout> | null} */
let timer = null;

function tick() {
  timer = null;
  const connection = live();
  if (connection.state.peek() !== "stale") now.value = Date.now() + connection.skew.peek();
  schedule();
}

function schedule() {
  if (timer === null && !document.hidden) timer = setTimeout(tick, 1000 - (Date.now() % 1000));
}

/** Starts it; called once. */
export function startClock() {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    } else {
      tick();
    }
  });
  schedule();
}
