// A part of a page that shows what a call gives: space while it comes, words where it fails, and the last of it when it is asked again.

import { get } from "../core/api.js";
import { effect, onCleanup, signal } from "../core/signal.js";
import { failure, skeleton } from "./empty.js";

/**
 * @template T
 * @param {() => string | null} path watched; nothing is asked for where it is null
 * @param {{ everyMs?: number }} [options] asked again and again while the page is seen
 * @returns {{ answer: import("../core/signal.js").Signal<T | null>, fault: import("../core/signal.js").Signal<unknown>, again: () => void }}
 */
export function source(path, options = {}) {
  const answer = signal(/** @type {any} */ (null));
  const fault = signal(/** @type {unknown} */ (null));
  const turn = signal(0);
  let newest = 0;
  let last = "";
  effect(() => {
    turn.value;
    const wanted = path();
    if (wanted === null) return;
    const mine = ++newest;
    get(wanted).then((value) => {
      if (mine !== newest) return;
      // The same again would only take the focus from what shows it.
      const text = JSON.stringify(value);
      if (text !== last) answer.value = value;
      last = text;
      fault.value = null;
    }, (error) => {
      if (mine === newest) fault.value = error;
    });
  });
  const again = () => void turn.value++;
  if (options.everyMs) {
    const timer = setInterval(() => {
      if (!document.hidden) again();
    }, options.everyMs);
    onCleanup(() => clearInterval(timer));
  }
  return { answer, fault, again };
}

/**
 * @template T
 * @param {{ answer: import("../core/signal.js").ReadSignal<T | null>, fault: import("../core/signal.js").ReadSignal<unknown>, again: () => void }} from
 * @param {(answer: T) => import("../core/h.js").Child} show
 * @param {number} [rows] how much space is kept
 */
export const part = (from, show, rows = 3) => () =>
  from.answer.value !== null ? show(/** @type {T} */ (from.answer.value)) : from.fault.value ? failure(from.fault.value, from.again) : skeleton(rows);
