import { Node } from "./dom.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { each } from "../../../Controller/Web/src/core/each.js";
import { h } from "../../../Controller/Web/src/core/h.js";
import { flush, onCleanup, root, signal } from "../../../Controller/Web/src/core/signal.js";

const rows = (element) => element.childNodes.filter((node) => node.tag === "li");

test("rows are made once for their key, whatever becomes of the list", () => {
  root(() => {
    let seed = 7;
    const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
    const list = signal([]);
    let made = 0, gone = 0;
    const element = h("ul", null, each(list, (one) => one.id, (item) => {
      made++;
      onCleanup(() => gone++);
      return h("li", null, () => item.value.text);
    }));
    const known = new Map();
    for (let round = 0; round < 200; round++) {
      const ids = [...new Set(Array.from({ length: random(12) }, () => random(20)))];
      list.value = ids.map((id) => ({ id, text: `${id}:${round}` }));
      flush();
      assert.deepEqual(rows(element).map((row) => row.textContent), ids.map((id) => `${id}:${round}`));
      for (const id of known.keys()) if (!ids.includes(id)) known.delete(id);
      rows(element).forEach((row, at) => {
        if (known.has(ids[at])) assert.equal(known.get(ids[at]), row);
        known.set(ids[at], row);
      });
    }
    assert.equal(made - gone, rows(element).length);
  });
});

test("rows that stand right are not touched", () => {
  root(() => {
    const list = signal([1, 2, 3, 4, 5]);
    const element = h("ul", null, each(list, (one) => one, (item) => h("li", null, () => item.value)));
    const before = Node.moves;
    list.value = [0, 1, 2, 3, 4, 5];
    flush();
    // One text node inside the new row, its anchor, the row's own place, and no other.
    assert.ok(Node.moves - before <= 6, `${Node.moves - before} moves`);
    assert.equal(rows(element).length, 6);
  });
});

test("a key that comes twice shows once", () => {
  root(() => {
    const element = h("ul", null, each(() => [{ id: 1 }, { id: 1 }], (one) => one.id, () => h("li")));
    assert.equal(rows(element).length, 1);
  });
});
