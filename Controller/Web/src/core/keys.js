// Keyboard shortcuts. Single keys can be switched off (WCAG 2.1.4); those with Ctrl stay.

import { onCleanup } from "./signal.js";
import { preferences } from "./prefs.js";

/** @typedef {{ keys: string, label: string, run: (event: KeyboardEvent) => void, where?: () => HTMLElement | null }} Shortcut */

/** @type {Set<Shortcut>} */
const shortcuts = new Set();
let first = "";
/** @type {ReturnType<typeof setTimeout> | null} */
let timer = null;
const SEQUENCE_MS = 1200;

/**
 * @param {string} keys `g r`, `/`, `Ctrl+k`, `End`
 * @param {string} label for the list of shortcuts
 * @param {(event: KeyboardEvent) => void} run
 * @param {() => HTMLElement | null} [where] only while the focus is inside
 * @returns {() => void}
 */
export function shortcut(keys, label, run, where) {
  /** @type {Shortcut} */
  const one = where ? { keys, label, run, where } : { keys, label, run };
  shortcuts.add(one);
  const end = () => void shortcuts.delete(one);
  onCleanup(end);
  return end;
}

export const allShortcuts = () => [...shortcuts];

/** @param {EventTarget | null} target */
function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button])");
}

/** @param {KeyboardEvent} event */
export function keyName(event) {
  const key = event.key.length === 1 && event.ctrlKey ? event.key.toLowerCase() : event.key;
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${key}`;
}

/** @param {KeyboardEvent} event */
function take(event) {
  if (event.defaultPrevented || event.isComposing) return;
  const name = keyName(event);
  const isModified = event.ctrlKey || event.metaKey || event.altKey;
  if (!isModified && (isTyping(event.target) || !preferences.peek().shortcuts)) return;
  if (!isModified && document.querySelector("dialog[open]")) return;
  const wanted = first ? `${first} ${name}` : name;
  if (timer) clearTimeout(timer);
  timer = null;
  first = "";
  const usable = [...shortcuts].filter((one) => !one.where || one.where()?.contains(/** @type {Node} */ (event.target)));
  const found = usable.reverse().find((one) => one.keys === wanted);
  if (found) {
    event.preventDefault();
    found.run(event);
    return;
  }
  if (usable.some((one) => one.keys.startsWith(`${name} `))) {
    first = name;
    timer = setTimeout(() => (first = ""), SEQUENCE_MS);
  }
}

export function startKeys() {
  document.addEventListener("keydown", take);
}
