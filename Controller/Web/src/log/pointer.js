// Selecting in the log by mouse, and copying. The browser's own selection ends where rows come and go, so the log keeps its own.

import { t } from "../core/i18n.js";
import { plural } from "../core/i18n.js";
import { COPY_MAX, wordAt } from "./select.js";

/** @typedef {import("./select.js").Point} Point */

export class Pointer {
  /** @param {import("./view.js").LogView} view */
  constructor(view) {
    this.view = view;
    /** @type {{x: number, y: number}} */
    this.last = { x: 0, y: 0 };
    this.frame = 0;
    this.moved = 0;
    /** @type {string | null} Text that was fetched and could not be put onto the clipboard. */
    this.ready = null;
    const { scroller, controller } = view;
    const { signal } = controller;
    scroller.addEventListener("pointerdown", (event) => this.down(event), { signal });
    scroller.addEventListener("pointermove", (event) => this.move(event), { signal });
    scroller.addEventListener("pointerup", (event) => this.up(event), { signal });
    scroller.addEventListener("pointercancel", (event) => this.up(event), { signal });
    scroller.addEventListener("click", (event) => this.click(event), { signal });
    document.addEventListener("copy", (event) => this.copy(event), { signal });
    window.addEventListener("pointerup", () => (this.view.isOnBar = false), { signal, capture: true });
    scroller.addEventListener("scrollend", () => (this.view.isOnBar = false), { signal });
  }

  /** @param {PointerEvent} event */
  down(event) {
    const { view } = this;
    if (event.button !== 0) return;
    const box = view.scroller.getBoundingClientRect();
    if (event.clientX - box.left >= view.scroller.clientWidth || event.clientY - box.top >= view.scroller.clientHeight) {
      this.view.isOnBar = true;
      return;
    }
    const target = /** @type {Element} */ (event.target);
    // Touch scrolls; its own selection is left to the browser.
    if (event.pointerType === "touch" || target.closest("button, a, .log-n")) return;
    event.preventDefault();
    view.scroller.focus({ preventScroll: true });
    getSelection()?.removeAllRanges();
    const point = this.pointAt(event.clientX, event.clientY);
    if (!point) return;
    this.view.isSelecting = true;
    this.last = { x: event.clientX, y: event.clientY };
    view.scroller.setPointerCapture(event.pointerId);
    if (event.detail === 2 || event.detail === 3) this.selectAround(point, event.detail === 3);
    else if (event.shiftKey && view.selection.anchor) view.selection.extend(point);
    else view.selection.start(point);
    this.changed();
  }

  /** @param {Point} point @param {boolean} isLine */
  selectAround(point, isLine) {
    const { selection, blocks } = this.view;
    const text = blocks.text(point.line) ?? "";
    const [from, to] = isLine ? [0, text.length] : wordAt(text, point.column);
    selection.start({ line: point.line, column: from });
    selection.extend({ line: point.line, column: to });
    this.view.isSelecting = false;
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (this.view.isOnBar && event.buttons === 0) this.view.isOnBar = false;
    if (!this.view.isSelecting) return;
    this.last = { x: event.clientX, y: event.clientY };
    this.drag();
    if (!this.frame && this.speed() !== 0) {
      this.moved = performance.now();
      this.frame = requestAnimationFrame(() => this.creep());
    }
  }

  /** How fast the log moves when the pointer is beyond its edge, in pixels a second: the farther, the faster. */
  speed() {
    const box = this.view.scroller.getBoundingClientRect();
    const over = this.last.y < box.top ? this.last.y - box.top : this.last.y > box.bottom ? this.last.y - box.bottom : 0;
    return Math.sign(over) * Math.min(60_000, 200 + Math.abs(over) ** 2 * 6);
  }

  creep() {
    this.frame = 0;
    const speed = this.speed();
    if (!this.view.isSelecting || speed === 0) return;
    const time = performance.now();
    this.view.moveBy(Math.round((speed * Math.min(200, time - this.moved)) / 1000));
    this.moved = time;
    this.view.render();
    this.drag();
    this.frame = requestAnimationFrame(() => this.creep());
  }

  drag() {
    const { view } = this;
    const box = view.scroller.getBoundingClientRect();
    const y = Math.min(box.top + view.scroller.clientHeight - 2, Math.max(box.top + 1, this.last.y));
    const point = this.pointAt(this.last.x, y);
    if (!point) return;
    view.selection.extend(point);
    if (view.selection.range) view.stay();
    this.changed();
  }

  /** @param {PointerEvent} event */
  up(event) {
    this.view.isOnBar = false;
    if (!this.view.isSelecting) return;
    this.view.isSelecting = false;
    if (this.view.scroller.hasPointerCapture(event.pointerId)) this.view.scroller.releasePointerCapture(event.pointerId);
    if (!this.view.selection.range) this.view.selection.focus = this.view.selection.anchor;
    this.changed();
  }

  /** @param {MouseEvent} event */
  click(event) {
    const { view } = this;
    const target = /** @type {Element} */ (event.target);
    const row = /** @type {HTMLElement | null} */ (target.closest(".log-row"));
    const slot = row && view.ring.slots.find((one) => one.element === row);
    if (!slot) return;
    if (target.closest(".log-n")) {
      if (event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      const { line } = slot;
      const from = event.shiftKey && view.linked ? Math.min(view.linked[0], line) : line;
      const to = event.shiftKey && view.linked ? Math.max(view.linked[1], line) : line;
      view.choose([from, to]);
      view.selection.lines(from, to);
      view.scroller.focus({ preventScroll: true });
      this.changed();
    } else if (row.classList.contains("is-section") && !view.selection.range) {
      const section = view.folds.at(slot.line);
      if (section) view.toggleSection(section);
      view.scroller.focus({ preventScroll: true });
    }
  }

  /** @param {number} x @param {number} y @returns {Point | null} */
  pointAt(x, y) {
    const { view } = this;
    if (view.rows.count === 0) return null;
    const row = view.scroll.rowAt(y - view.scroller.getBoundingClientRect().top);
    const slot = view.ring.of(row);
    const line = view.rows.lineAt(row);
    return { line, column: slot ? view.ring.columnAt(slot, x, y) : 0 };
  }

  changed() {
    this.ready = null;
    this.view.version++;
    this.view.request();
  }

  clear() {
    this.view.selection.clear();
    this.changed();
  }

  selectAll() {
    this.view.stay();
    this.view.selection.lines(1, this.view.blocks.total);
    this.changed();
  }

  /** @param {ClipboardEvent} event */
  copy(event) {
    const { view } = this;
    const range = view.selection.range;
    const active = document.activeElement;
    if (!range || !view.element.contains(active) || active instanceof HTMLInputElement || (getSelection()?.toString() ?? "") !== "") return;
    event.preventDefault();
    const text = this.ready ?? this.textNow();
    if (text === null) {
      void this.fetchAndCopy();
      return;
    }
    event.clipboardData?.setData("text/plain", text);
    view.tell(plural(range.to.line - range.from.line + 1, "1 line is on the clipboard.", "{n} lines are on the clipboard."));
  }

  /** The selected text where all of it is here. */
  textNow() {
    const { blocks, selection } = this.view;
    const range = selection.range;
    if (!range) return null;
    const texts = [];
    for (let line = range.from.line; line <= range.to.line; line++) {
      const text = blocks.text(line);
      if (text === undefined) return null;
      texts.push(text);
    }
    return selection.cut(range.from.line, texts).join("\n");
  }

  async fetchAndCopy() {
    const { view } = this;
    const range = view.selection.range;
    if (!range) return;
    view.tell(t("Fetching what is selected…"));
    /** @type {string[]} */
    const texts = [];
    let size = 0;
    try {
      await view.blocks.read(range.from.line, range.to.line, view.controller.signal, (part) => {
        texts.push(...part);
        size += part.reduce((sum, text) => sum + text.length + 1, 0);
        if (size > COPY_MAX) throw new RangeError("too large");
      });
    } catch (error) {
      if (error instanceof RangeError) view.tell(t("That is more than a clipboard should hold: use Download."));
      else view.failed(error);
      return;
    }
    const text = view.selection.cut(range.from.line, texts).join("\n");
    try {
      await navigator.clipboard.writeText(text);
      view.tell(plural(texts.length, "1 line is on the clipboard.", "{n} lines are on the clipboard."));
    } catch {
      // Without a key press of this moment a browser may refuse.
      this.ready = text;
      view.tell(t("It is here now: press Ctrl+C again."));
    }
  }

  dispose() {
    cancelAnimationFrame(this.frame);
  }
}
