// What the page knows, by kind and id. The newer of two always wins, whichever came first: answers and events may overtake each other.

import { signal } from "./signal.js";

/**
 * @template T
 * @typedef {import("./signal.js").Signal<T | undefined>} Slot
 */

/** @template {{ id: number | string }} T */
export class Store {
  /**
   * @param {(item: T) => number} revision of two states of one thing the larger is the newer
   * @param {number} [itemsMax] beyond it the oldest that nobody has asked for since go
   */
  constructor(revision, itemsMax = 2000) {
    this.revision = revision;
    this.itemsMax = itemsMax;
    /** @type {Map<number | string, Slot<T>>} */ this.slots = new Map();
  }

  /** @param {number | string} id @returns {Slot<T>} */
  slot(id) {
    const known = this.slots.get(id);
    if (known) {
      this.slots.delete(id);
      this.slots.set(id, known);
      return known;
    }
    const made = signal(/** @type {T | undefined} */ (undefined));
    this.slots.set(id, made);
    if (this.slots.size > this.itemsMax) {
      const [oldest] = this.slots.keys();
      if (oldest !== undefined) this.slots.delete(oldest);
    }
    return made;
  }

  /**
   * The newest that is known; watched where it is read in an effect.
   * @param {number | string} id
   */
  get(id) {
    return this.slot(id).value;
  }

  /** @param {T} item @returns {boolean} whether it was newer than what was known */
  put(item) {
    const slot = this.slot(item.id);
    const known = slot.peek();
    if (known && this.revision(known) > this.revision(item)) return false;
    slot.value = item;
    return true;
  }

  /** @param {readonly T[]} items */
  putAll(items) {
    for (const item of items) this.put(item);
  }

  /**
   * Changes a part of what is known.
   * @param {number | string} id @param {(item: T) => T} change
   */
  patch(id, change) {
    const slot = this.slots.get(id);
    const known = slot?.peek();
    if (slot && known) slot.value = change(known);
  }
}

/** @typedef {{ id: number, number: number, pipeline_id: number, pipeline_name: string, pipeline_version: number, project_id: number,
 *   status: string, phase: string, result: string | null, cause: string | null, message: string | null, event: string, ref: string,
 *   branch: string, tag: string, commit: string, priority: number, actor: string, trusted: boolean, origin_id: number | null,
 *   rerun: string | null, group: string | null, created_at: string, started_at: string | null, finished_at: string | null,
 *   duration_ms: number | null, cancelled_by: string | null, cancel_reason: string | null, seq: number,
 *   progress?: { jobs: number, finished: number, awaits_approval: boolean } | null }} Run `progress` is known of those in lists that have not ended. */

/** Runs as lists and events tell of them. */
export const runs = new Store((/** @type {Run} */ run) => run.seq);
