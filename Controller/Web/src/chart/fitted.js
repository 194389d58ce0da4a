// A chart as wide as its place, so that its letters have the size of the others.

import { h } from "../core/h.js";
import { onCleanup } from "../core/signal.js";

/** Widths differ by so much at least, in pixels: a scroll bar that comes and goes draws nothing anew. */
const STEP = 8;

/**
 * @param {(size: { width: number, height: number }) => HTMLElement} make
 * @param {number} [height] of the picture
 */
export function fitted(make, height = 132) {
  const box = h("div", { class: "chart-fit" });
  let width = 0;
  const look = new ResizeObserver((entries) => {
    const next = Math.floor((entries[0]?.contentRect.width ?? 0) / STEP) * STEP;
    if (next < 80 || next === width) return;
    width = next;
    box.replaceChildren(make({ width, height }));
  });
  look.observe(box);
  onCleanup(() => look.disconnect());
  return box;
}
