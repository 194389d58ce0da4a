// The log viewer. It holds what is looked at, never the log: rows are a ring, lines are pulled in blocks, and a log that still runs is
// read by the same code as one that has ended.

import { announce } from "../core/a11y.js";
import { t } from "../core/i18n.js";
import { blockOf } from "./blocks.js";
import { LogFeed } from "./feed.js";
import { find as findIn } from "./folds.js";
import { helpDialog, listenToKeys } from "./keys.js";
import { Pointer } from "./pointer.js";
import { formatLines } from "./select.js";
import { ROW_HEIGHT } from "./state.js";
import { TIMES } from "./times.js";
import { showWhole } from "./whole.js";

/** So long after the last move the scroll bar is put where the place in the log says. */
const IDLE_MS = 160;

/** @typedef {import("./bar.js").Filter} Filter */

export class LogView extends LogFeed {
  /**
   * @param {HTMLElement} host
   * @param {import("./state.js").Options} options
   */
  constructor(host, options) {
    super(host, options);
    Object.assign(this.actions, /** @type {import("./bar.js").Actions} */ ({
      find: (text, how) => void this.startFind(text, how), step: (way) => void this.stepFind(way), leaveFind: () => this.scroller.focus(),
      filter: (filter) => this.setFilter(filter), wrap: () => this.setWrap(!this.isWrapped), times: (times) => this.setTimes(times),
      follow: () => this.toggleFollow(), copyLink: () => void this.copyLink(), help: () => this.help(),
    }));
    this.pointer = new Pointer(this);
    listenToKeys(this);
    this.map.onGo = (part) => this.goToPart(part);
    this.watch();
    this.showBar();
    void this.open();
  }

  watch() {
    const { signal } = this.controller;
    this.pill.addEventListener("click", () => this.goOn(), { signal });
    this.scroller.addEventListener("scroll", () => this.scrolled(), { signal, passive: true });
    this.scroller.addEventListener("wheel", (event) => {
      if (event.deltaY < 0) this.stay();
    }, { signal, passive: true });
    this.layer.addEventListener("click", (event) => {
      const more = /** @type {Element} */ (event.target).closest(".log-more");
      if (more) void showWhole(this.source, Number(more.getAttribute("data-line")));
    }, { signal });
    this.sticky.addEventListener("click", () => {
      const section = this.folds.at(Number(this.sticky.dataset.line));
      if (section) this.goToLine(section.start, "top");
    }, { signal });
    document.addEventListener("visibilitychange", () => this.listen(), { signal });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw(), { signal });
    this.themes = new MutationObserver(() => this.redraw());
    this.themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.scroller);
    this.resized();
  }

  async open() {
    const { signal } = this.controller;
    const { linked } = this;
    const first = this.source.take("first") ?? (linked ? this.source.block(blockOf(linked[0]), signal)
      : this.options.isLive || this.options.isFailed ? this.source.tail(signal) : this.source.block(0, signal));
    const index = this.refresh().catch(() => null);
    try {
      const page = await first;
      if (signal.aborted) return;
      // Sections are there in a moment: the page would jump if lines came before them.
      await Promise.race([index, new Promise((resolve) => setTimeout(resolve, linked ? 0 : 120))]);
      if (signal.aborted) return;
      this.blocks.take(page);
      this.placeFirst();
      // With the answer, not with the next picture: that may be a while, while the page is still being put together.
      this.render();
    } catch (error) {
      if (signal.aborted) return;
      this.failed(error);
    }
    this.poll();
    this.listen();
  }

  placeFirst() {
    if (this.isPlaced) return;
    this.isPlaced = true;
    this.rebuild();
    if (this.linked) {
      const most = Math.max(1, this.blocks.total);
      /** @type {[number, number]} */
      const lines = [Math.min(this.linked[0], most), Math.min(this.linked[1], most)];
      this.linked = lines;
      this.goToLine(lines[0], "center");
    } else if (this.follow.isFollowing) this.toEnd();
    else if (this.options.isFailed && !this.options.isLive) this.toFailure();
    this.settle();
    this.request();
  }

  /** A failed log opens at what went wrong. */
  toFailure() {
    const errors = this.index?.errors ?? [];
    const last = this.folds.last;
    const inside = errors.find((line) => !last || this.folds.isFailed === false || line >= last.start);
    if (inside !== undefined && this.index && this.index.scanned >= this.index.total) this.goToLine(inside, "center");
    else this.toEnd();
  }

  scrolled() {
    const to = this.scroller.scrollTop;
    if (to === this.scroll.physical) {
      // Only sideways, or what we did ourselves.
      this.request();
      return;
    }
    this.way = to - this.scroll.physical;
    this.scroll.scrolled(to);
    if (this.way < 0) this.stay();
    else if (this.scroll.isAtEnd && !this.isSelecting) this.goOn(false);
    if (this.scroll.isStuck && !this.isOnBar) this.settle();
    this.later("idle", IDLE_MS, () => {
      if (!this.isOnBar) this.settle();
      this.request();
    });
    this.request();
  }

  stay() {
    if (!this.follow.isFollowing) return;
    this.follow.stay();
    this.listen();
    this.poll();
    this.request();
  }

  /**
   * Goes along with what comes.
   * @param {boolean} [toEnd]
   */
  goOn(toEnd = true) {
    const was = this.follow.isFollowing;
    this.follow.goOn();
    if (toEnd) this.toEnd();
    if (!was && this.follow.isFollowing) {
      this.listen();
      this.poll();
    }
    this.request();
  }

  toggleFollow() {
    if (this.follow.isFollowing) this.stay();
    else this.goOn();
  }

  toEnd() {
    this.scroll.rows = this.rows.count;
    this.way = 1;
    this.scroll.place(this.scroll.end);
    this.settle();
    this.request();
  }

  toStart() {
    this.stay();
    this.way = -1;
    this.scroll.place({ row: 0, offset: 0 });
    this.settle();
    this.request();
  }

  /** @param {number} pixels */
  moveBy(pixels) {
    if (pixels < 0) this.stay();
    this.way = pixels;
    this.scroll.moveBy(pixels);
    if (pixels > 0 && this.scroll.isAtEnd) this.goOn(false);
    this.settle();
    this.request();
  }

  /** @param {number} part */
  goToPart(part) {
    this.stay();
    this.scroll.toRow(Math.round(part * (this.rows.count - 1)), "center");
    this.settle();
    this.request();
  }

  /**
   * Brings a line into sight, opening what hides it.
   * @param {number} line @param {"center" | "nearest" | "top"} align
   */
  goToLine(line, align) {
    // Before the first lines are here, they are brought to what is chosen anyway.
    if (!this.isPlaced) return;
    if (this.filter === "all" ? this.folds.reveal(line) : false) this.rebuild();
    if (this.filter !== "all" && !this.rows.isShown(line)) this.setFilter("all");
    this.stay();
    this.scroll.rows = this.rows.count;
    this.scroll.toRow(this.rows.rowOf(line), align, align === "top" ? 0 : 2 * ROW_HEIGHT);
    this.settle();
    this.request();
  }

  /**
   * The next error or warning.
   * @param {1 | -1} way
   */
  nextProblem(way) {
    const lines = this.index ? [...this.index.errors].sort((a, b) => a - b) : [];
    const list = lines.length > 0 ? lines : this.index?.warnings ?? [];
    if (list.length === 0) return;
    const here = this.linked?.[0] ?? this.rows.lineAt(this.scroll.rowAt(this.scroll.viewport / 2));
    const at = way > 0 ? findIn(list, here) + 1 : findIn(list, here - 1);
    const line = list[(at + list.length) % list.length];
    if (line !== undefined) this.choose([line, line], true);
  }

  /** @param {1 | -1} way */
  nextSection(way) {
    const here = this.rows.lineAt(this.scroll.rowAt(1));
    const next = this.folds.next(here, way);
    if (next !== undefined) this.goToLine(next, "top");
    else if (way < 0) this.toStart();
  }

  /** @param {import("./folds.js").Section} section */
  toggleSection(section) {
    this.stay();
    this.folds.choose(section, !this.folds.isOpen(section));
    this.rebuild();
  }

  /**
   * Chooses lines that the address names.
   * @param {[number, number] | null} lines @param {boolean} [brings]
   */
  choose(lines, brings = false) {
    this.linked = lines;
    this.options.onLines(lines);
    if (lines && brings) this.goToLine(lines[0], "center");
    this.version++;
    this.request();
  }

  async copyLink() {
    const lines = this.linked ?? this.linesInSight();
    const text = new URL(this.options.hrefOf(lines), document.baseURI).href;
    await this.toClipboard(text, t("The link to line {lines} is on the clipboard.", { lines: formatLines(lines) }));
  }

  /** @returns {[number, number]} */
  linesInSight() {
    const range = this.selection.range;
    if (range) return [range.from.line, range.to.line];
    const line = Math.max(1, this.rows.lineAt(this.scroll.rowAt(1)));
    return [line, line];
  }

  /** @param {string} text @param {string} said */
  async toClipboard(text, said) {
    try {
      await navigator.clipboard.writeText(text);
      this.tell(said);
    } catch {
      this.tell(t("This page may not write to the clipboard: {text}", { text }));
    }
  }

  /**
   * A word in passing.
   * @param {string} text
   */
  tell(text) {
    announce(text);
    this.showNote(text, "");
    this.later("told", 4000, () => this.showNote("", ""));
  }

  /** @param {Filter} filter */
  setFilter(filter) {
    this.filter = filter;
    this.stay();
    this.rebuild();
  }

  /** @param {boolean} isWrapped */
  setWrap(isWrapped) {
    this.isWrapped = isWrapped;
    this.options.onLooks({ wrap: isWrapped });
    this.scroll.offset = 0;
    this.heights.clear();
    this.memo.gutterKey = "";
    this.ring.forget();
    this.settle();
    this.showGutter();
    this.request();
  }

  /** @param {import("./times.js").Times} times */
  setTimes(times) {
    this.times = times;
    this.options.onLooks({ times });
    this.request();
  }

  nextTimes() {
    this.setTimes(/** @type {import("./times.js").Times} */ (TIMES[(TIMES.indexOf(this.times) + 1) % TIMES.length]));
  }

  help() {
    helpDialog(this.element);
  }

  focusFind() {
    this.bar.field.focus();
    this.bar.field.select();
  }

  /** @param {string} text @param {{isRegex: boolean, matchesCase: boolean}} options */
  async startFind(text, options) {
    if (text !== "") this.stay();
    const here = this.rows.count > 0 ? this.rows.lineAt(this.scroll.rowAt(1)) : 1;
    await this.find.start(text === "" ? null : { text, ...options });
    if (this.filter === "matches") this.rebuild();
    if (text !== "" && this.find.query?.text === text && !this.find.current) {
      const hit = await this.find.step(here, -1, 1);
      if (hit && this.find.query?.text === text) this.show(hit);
    }
  }

  /** @param {1 | -1} way */
  async stepFind(way) {
    const from = this.find.current ?? [this.rows.lineAt(this.scroll.rowAt(1)), -1, 0];
    const hit = await this.find.step(from[0], from[1], way);
    if (hit) this.show(hit);
  }

  /** @param {import("./find.js").Hit} hit */
  show(hit) {
    this.goToLine(hit[0], "nearest");
    if (this.isWrapped) return;
    // Sideways, where the match is.
    const left = this.gutter + hit[1] * this.character;
    const { scrollLeft, clientWidth } = this.scroller;
    if (left < scrollLeft + this.gutter || left > scrollLeft + clientWidth - 80) this.scroller.scrollLeft = Math.max(0, left - clientWidth / 2);
  }

  foundMore() {
    this.bar.showFind(this.find);
    this.version++;
    if (this.filter === "matches" && this.isPlaced) this.rebuild();
    this.request();
  }

  dispose() {
    this.isOver = true;
    this.controller.abort();
    this.unfollow?.();
    this.find.reset();
    this.blocks.clear();
    this.palette.dispose();
    this.pointer.dispose();
    this.sizes?.disconnect();
    this.themes?.disconnect();
    cancelAnimationFrame(this.frame);
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    const highlights = /** @type {any} */ (CSS).highlights;
    for (const name of ["log-found", "log-current", "log-selected"]) highlights?.delete(name);
    this.host.replaceChildren();
  }
}
