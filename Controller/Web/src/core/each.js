// Lists whose rows stay: a row is made once for its key, so that focus, open menus and selections in it survive every change.

import { Dynamic, append } from "./h.js";
import { effect, isSignal, onCleanup, Scope, signal } from "./signal.js";

/**
 * @template T
 * @typedef {{ item: import("./signal.js").Signal<T>, scope: Scope, nodes: ChildNode[] }} Row
 */

/** @template T */
class Each extends Dynamic {
  /** @param {() => readonly T[]} list @param {(item: T) => string | number} key @param {(item: import("./signal.js").ReadSignal<T>, key: string | number) => import("./h.js").Child} render */
  constructor(list, key, render) {
    super();
    this.list = list;
    this.key = key;
    this.render = render;
    /** @type {Map<string | number, Row<T>>} */ this.rows = new Map();
  }

  /** @param {Node} parent @param {Node} anchor */
  mount(parent, anchor) {
    effect(() => {
      const list = this.list();
      this.update(anchor.parentNode ?? parent, anchor, list);
    });
    onCleanup(() => {
      for (const row of this.rows.values()) row.scope.dispose();
    });
  }

  /** @param {Node} parent @param {Node} anchor @param {readonly T[]} list */
  update(parent, anchor, list) {
    /** @type {Map<string | number, Row<T>>} */ const next = new Map();
    for (const item of list) {
      const key = this.key(item);
      // A key that comes twice shows once: two rows under one key could not be told apart later.
      if (next.has(key)) continue;
      const row = this.rows.get(key) ?? this.make(item, key);
      row.item.value = item;
      next.set(key, row);
    }
    for (const [key, row] of this.rows) {
      if (next.has(key)) continue;
      row.scope.dispose();
      for (const node of row.nodes) node.remove();
    }
    this.rows = next;
    this.place(parent, anchor, [...next.values()]);
  }

  /** @param {T} item @param {string | number} key @returns {Row<T>} */
  make(item, key) {
    const held = signal(item);
    const scope = new Scope(null);
    const part = document.createDocumentFragment();
    scope.run(() => append(part, this.render(held, key)));
    return { item: held, scope, nodes: [.../** @type {NodeListOf<ChildNode>} */ (part.childNodes)] };
  }

  /**
   * Moves only rows that stand wrong, from the end.
   * @param {Node} parent @param {Node} anchor @param {Row<T>[]} rows
   */
  place(parent, anchor, rows) {
    let before = anchor;
    for (let index = rows.length - 1; index >= 0; index--) {
      const nodes = /** @type {Row<T>} */ (rows[index]).nodes;
      for (let at = nodes.length - 1; at >= 0; at--) {
        const node = /** @type {ChildNode} */ (nodes[at]);
        if (node.nextSibling !== before || node.parentNode !== parent) parent.insertBefore(node, before);
        before = node;
      }
    }
  }
}

/**
 * A child of `h` that shows a list.
 * @template T
 * @param {readonly T[] | import("./signal.js").ReadSignal<readonly T[]> | (() => readonly T[])} list
 * @param {(item: T) => string | number} key tells rows apart
 * @param {(item: import("./signal.js").ReadSignal<T>, key: string | number) => import("./h.js").Child} render makes a row, once for each key;
 *   what changes in it reads `item.value`
 * @returns {Dynamic}
 */
export function each(list, key, render) {
  const read = () => {
    if (typeof list === "function") return list();
    return isSignal(list) ? /** @type {readonly T[]} */ (list.value) : /** @type {readonly T[]} */ (list);
  };
  return new Each(read, key, render);
}
