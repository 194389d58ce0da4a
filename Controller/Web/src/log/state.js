// What a log viewer is made of: its parts in the page and what it knows.

import { h } from "../core/h.js";
import { t } from "../core/i18n.js";
import { makeBar } from "./bar.js";
import { Blocks } from "./blocks.js";
import { Find } from "./find.js";
import { Follow } from "./follow.js";
import { Folds, Rows } from "./folds.js";
import { Minimap } from "./minimap.js";
import { PaletteSheet } from "./palette.js";
import { Ring } from "./rows.js";
import { Scroll } from "./scroll.js";
import { Selection } from "./select.js";

export const ROW_HEIGHT = 20;
/** Rows above and below the window. */
export const OVERSCAN = 10;

/** @typedef {import("./source.js").Source} Source */
/** @typedef {import("./bar.js").Filter} Filter */

/**
 * @typedef {object} Options
 * @property {Source} source
 * @property {string} label What the log is of.
 * @property {boolean} isLive
 * @property {boolean} isFailed
 * @property {[number, number] | null} lines Lines that the address names.
 * @property {import("../core/ws.js").Live | null} socket
 * @property {{wrap: boolean, times: import("./times.js").Times}} looks
 * @property {(looks: {wrap?: boolean, times?: import("./times.js").Times}) => void} onLooks
 * @property {(lines: [number, number] | null) => string} hrefOf The address of lines.
 * @property {(lines: [number, number] | null) => void} onLines The chosen lines have changed.
 * @property {() => boolean} keysAreOn
 * @property {string | null} reader
 */

export class LogState {
  /**
   * @param {HTMLElement} host
   * @param {Options} options
   */
  constructor(host, options) {
    this.host = host;
    this.options = options;
    this.source = options.source;
    this.palette = new PaletteSheet(document);
    this.controller = new AbortController();
    this.folds = new Folds();
    this.rows = new Rows(0);
    this.scroll = new Scroll({ rowHeight: ROW_HEIGHT });
    this.selection = new Selection();
    this.follow = new Follow({ isLive: options.isLive, follows: !options.lines });
    /** @type {[number, number] | null} */
    this.linked = options.lines;
    /** @type {import("./source.js").Index | null} */
    this.index = null;
    /** @type {Filter} */
    this.filter = "all";
    this.isWrapped = options.looks.wrap;
    this.times = options.looks.times;
    /** Width of a character, and of what stands before a line's text, in pixels. */
    this.character = 7.5;
    this.gutter = 0;
    /** Below 0 where the reader last went up. */
    this.way = 1;
    this.frame = 0;
    this.isPlaced = false;
    this.isOver = false;
    /** A pointer selects, or holds the scroll bar. */
    this.isSelecting = false;
    this.isOnBar = false;
    /** @type {number | null} */
    this.staleSince = null;
    /** @type {(() => void) | null} */
    this.unfollow = null;
    /** @type {Map<number, number>} Rows that wrapped lines take. */
    this.heights = new Map();
    /** Grows with whatever changes what is painted on the rows. */
    this.version = 0;
    /** What was shown last, and what was worked out. */
    this.memo = { height: "", gutterKey: "", mapKey: "", barKey: "", columns: 80, said: { errors: 0, lines: 0, at: 0 } };
    this.marked = -1;
    /** @type {Record<string, ReturnType<typeof setTimeout>>} */
    this.timers = {};
    this.actions = /** @type {import("./bar.js").Actions} */ ({});
    this.blocks = new Blocks({
      fetch: (block, signal) => this.source.block(block, signal), onPage: (page) => this.tookPage(page), onError: (error) => this.failed(error),
    });
    this.find = new Find({
      search: (query, from, limit, signal) => this.source.search(query, from, limit, signal),
      onChange: () => this.foundMore(), onError: () => this.foundMore(),
    });
    const { source, label, reader } = options;
    const name = `${source.key.replace(/[^\w.-]+/g, "-")}.log`;
    this.bar = makeBar(this.actions, { raw: source.raw, plain: source.plain, reader, name });
    this.space = h("div", { class: "log-space" });
    this.layer = h("div", { class: "log-rows" });
    this.scroller = h("div", { class: "log-scroll", tabindex: "0", role: "region", aria: { label: t("Log of {name}", { name: label }) } }, this.space, this.layer);
    this.canvas = h("canvas", { class: "log-map", aria: { hidden: true } });
    this.pill = h("button", { class: "log-pill", type: "button", hidden: true });
    this.sticky = h("button", { class: "log-sticky", type: "button", hidden: true, tabindex: "-1", aria: { hidden: true } });
    this.note = h("p", { class: "log-note", role: "status", hidden: true });
    this.empty = h("p", { class: "log-empty", hidden: true });
    this.probe = h("span", { class: "log-probe", aria: { hidden: true } }, "0".repeat(100));
    this.element = h("section", { class: "log", aria: { label: t("Log") } },
      this.bar.element, this.note,
      h("div", { class: "log-frame" }, this.scroller, this.canvas, this.sticky, this.empty, this.pill, this.probe));
    this.ring = new Ring(this.layer, (cls) => this.palette.use(cls));
    this.map = new Minimap(this.canvas);
    host.replaceChildren(this.element);
  }

  /** @param {import("./blocks.js").Page} _page */
  tookPage(_page) {}

  /** @param {unknown} _error */
  failed(_error) {}

  foundMore() {}

  /**
   * @param {string} name
   * @param {number} ms
   * @param {() => void} run
   */
  later(name, ms, run) {
    clearTimeout(this.timers[name]);
    this.timers[name] = setTimeout(run, ms);
  }

  /** @param {string} text @param {string} cls */
  showNote(text, cls) {
    this.note.className = `log-note ${cls}`;
    this.note.hidden = text === "";
    if (this.note.textContent !== text) this.note.textContent = text;
  }
}
