// What a person has chosen for this browser. The theme and density are cookies, which the server reads, so that no page flashes.

import { signal } from "./signal.js";

/** `muted`: alerts by key, until when in ms since 1970. */
/** @typedef {{ wrap: boolean, times: "off" | "elapsed" | "clock", shortcuts: boolean, runView: string, split: number, muted: Record<string, number> }} Preferences */

/** @type {Preferences} */
const standard = { wrap: false, times: "elapsed", shortcuts: true, runView: "graph", split: 42, muted: {} };
const KEY = "ansflow.preferences";

/** @returns {Preferences} */
function load() {
  try {
    return { ...standard, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...standard };
  }
}

export const preferences = signal(load());

/** @param {Partial<Preferences>} change */
export function prefer(change) {
  preferences.value = { ...preferences.peek(), ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences.peek()));
  } catch {
    // A browser that keeps nothing keeps it until the page goes.
  }
}

/** @param {"theme" | "density"} name @param {string} value */
export function preferLook(name, value) {
  const root = document.documentElement;
  root.dataset[name] = value;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `ansflow_${name}=${encodeURIComponent(value)}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}
