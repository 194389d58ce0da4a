// The rows that are in the page: a ring, so that scrolling by one line touches one row. Row r of the log lives in slot r mod n.

import { h } from "../core/h.js";
import { duration } from "../core/fmt.js";
import { t } from "../core/i18n.js";

/**
 * @typedef {object} Content What a row shows.
 * @property {number} line
 * @property {import("./ansi.js").Parsed | null} parsed Nothing where it is not here yet.
 * @property {string} time
 * @property {string} time_title
 * @property {string} cls
 * @property {{title: string, isOpen: boolean, ms: number | null, level: number} | null} section
 * @property {string} href
 * @property {boolean} isCut More of the line is stored than is shown.
 */

/** @typedef {{element: HTMLElement, number: HTMLAnchorElement, time: HTMLElement, text: HTMLElement, row: number, line: number, key: string, y: number, height: number}} Slot */

export class Ring {
  /**
   * @param {HTMLElement} host
   * @param {(cls: string) => void} useClasses Called with the classes of spans.
   */
  constructor(host, useClasses) {
    this.host = host;
    this.useClasses = useClasses;
    /** @type {Slot[]} */
    this.slots = [];
  }

  /** @param {number} count */
  resize(count) {
    if (count === this.slots.length) return;
    for (const slot of this.slots) slot.element.remove();
    this.slots = Array.from({ length: count }, () => this.make());
    this.host.append(...this.slots.map((slot) => slot.element));
  }

  /** @returns {Slot} */
  make() {
    const number = h("a", { class: "log-n", tabindex: "-1" });
    const time = h("span", { class: "log-t" });
    const text = h("span", { class: "log-x" });
    const element = h("div", { class: "log-row", hidden: true }, number, time, text);
    return { element, number, time, text, row: -1, line: 0, key: "", y: NaN, height: NaN };
  }

  /** All rows are to be filled anew. */
  forget() {
    for (const slot of this.slots) slot.key = "";
  }

  /** @param {number} row @returns {Slot | undefined} The slot that shows it. */
  of(row) {
    const slot = this.slots[row % this.slots.length];
    return slot && slot.row === row ? slot : undefined;
  }

  /** @param {number} first @param {number} last Rows that stay; what other slots show is hidden. */
  keep(first, last) {
    for (const slot of this.slots) {
      if (slot.row < 0 || (slot.row >= first && slot.row <= last)) continue;
      slot.row = -1;
      slot.key = "";
      slot.element.hidden = true;
    }
  }

  /**
   * @param {number} row @param {string} key What its content depends on: the same key is the same content.
   * @param {() => Content} content
   * @returns {boolean} Whether anything was written.
   */
  fill(row, key, content) {
    const slot = /** @type {Slot} */ (this.slots[row % this.slots.length]);
    if (slot.row === row && slot.key === key) return false;
    const shown = content();
    slot.row = row;
    slot.key = key;
    slot.line = shown.line;
    const { element, number, time, text } = slot;
    element.hidden = false;
    if (element.className !== shown.cls) element.className = shown.cls;
    const label = String(shown.line);
    if (number.textContent !== label) number.textContent = label;
    number.setAttribute("href", shown.href);
    if (time.textContent !== shown.time) time.textContent = shown.time;
    if (time.title !== shown.time_title) time.title = shown.time_title;
    if (shown.section) this.section(text, shown.section);
    else this.text(text, shown.parsed);
    if (shown.isCut && !shown.section) text.append(h("button", { class: "log-more", type: "button", tabindex: "-1", data: { line: label } }, t("… show the whole line")));
    return true;
  }

  /** @param {HTMLElement} host @param {import("./ansi.js").Parsed | null} parsed */
  text(host, parsed) {
    if (!parsed) {
      host.textContent = "";
      return;
    }
    if (!parsed.spans) {
      // One text node is written to again and again: nothing is made.
      const only = host.firstChild;
      if (only && only === host.lastChild && only.nodeType === 3) {
        if (only.nodeValue !== parsed.text) only.nodeValue = parsed.text;
      } else host.textContent = parsed.text;
      return;
    }
    host.replaceChildren(
      ...parsed.spans.map(({ text, cls, href }) => {
        if (cls) this.useClasses(cls);
        if (href) return h("a", { class: cls || false, href, rel: "noopener noreferrer nofollow", target: "_blank", tabindex: "-1" }, text);
        return cls ? h("span", { class: cls }, text) : document.createTextNode(text);
      }),
    );
  }

  /** @param {HTMLElement} host @param {{title: string, isOpen: boolean, ms: number | null, level: number}} section */
  section(host, { title, isOpen, ms }) {
    host.replaceChildren(
      h("button", { class: "log-fold", type: "button", tabindex: "-1", aria: { expanded: isOpen } }, title),
      h("span", { class: "log-d" }, ms === null ? "" : duration(ms)),
    );
  }

  /** @param {number} row @param {number} y @param {number} height */
  put(row, y, height) {
    const slot = /** @type {Slot} */ (this.slots[row % this.slots.length]);
    if (slot.y !== y) {
      slot.y = y;
      slot.element.style.setProperty("transform", `translateY(${y}px)`);
    }
    if (slot.height !== height) {
      slot.height = height;
      slot.element.style.setProperty("block-size", `${height}px`);
    }
  }

  /**
   * A part of a row's text as a range of its nodes.
   * @param {Slot} slot @param {number} from @param {number} to
   */
  range(slot, from, to) {
    const range = document.createRange();
    const walker = document.createTreeWalker(slot.text, NodeFilter.SHOW_TEXT);
    let at = 0;
    let isStarted = false;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const length = node.nodeValue?.length ?? 0;
      if (!isStarted && from <= at + length) {
        range.setStart(node, from - at);
        isStarted = true;
      }
      if (isStarted && to <= at + length) {
        range.setEnd(node, to - at);
        return range;
      }
      at += length;
      if (isStarted) range.setEnd(node, length);
    }
    return isStarted ? range : null;
  }

  /**
   * The column of a row's text at a place in the page.
   * @param {Slot} slot @param {number} x @param {number} y
   * @returns {number}
   */
  columnAt(slot, x, y) {
    const box = slot.text.getBoundingClientRect();
    if (x <= box.left) return 0;
    const place = caretAt(x, Math.min(box.bottom - 1, Math.max(box.top + 1, y)));
    const length = slot.text.textContent?.length ?? 0;
    if (!place || !slot.text.contains(place.node)) return x > box.left ? length : 0;
    if (place.node.nodeType !== 3) return length;
    let column = place.offset;
    const walker = document.createTreeWalker(slot.text, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node && node !== place.node; node = walker.nextNode()) column += node.nodeValue?.length ?? 0;
    return column;
  }
}

/** @param {number} x @param {number} y @returns {{node: Node, offset: number} | null} */
function caretAt(x, y) {
  const page = /** @type {any} */ (document);
  if (page.caretPositionFromPoint) {
    const place = page.caretPositionFromPoint(x, y);
    return place && { node: place.offsetNode, offset: place.offset };
  }
  const range = page.caretRangeFromPoint?.(x, y);
  return range && { node: range.startContainer, offset: range.startOffset };
}
