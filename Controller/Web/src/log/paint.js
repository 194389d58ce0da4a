// What is on the screen: rows, marks upon them, and what stands around them.

import { plural, t } from "../core/i18n.js";
import { BLOCK, blockOf } from "./blocks.js";
import { localPattern } from "./find.js";
import { Rows, around, find as findIn } from "./folds.js";
import { LogState, OVERSCAN, ROW_HEIGHT } from "./state.js";
import { clockTime, elapsed, lineTime } from "./times.js";
import { rowsOf } from "./wrap.js";

/** Lines around those that a filter finds. */
const CONTEXT = 3;

export class LogPaint extends LogState {
  /** Makes the rows anew, keeping the line at the top where it is. */
  rebuild() {
    const { total } = this.blocks;
    const anchor = this.rows.count > 0 ? this.rows.lineAt(this.scroll.row) : 1;
    const offset = this.scroll.offset;
    if (this.filter === "all") this.rows = new Rows(total, this.folds.hidden(Infinity));
    else this.rows = Rows.only(total, around(this.filtered(), CONTEXT, total));
    this.scroll.rows = this.rows.count;
    const row = this.rows.rowOf(anchor);
    this.scroll.place({ row, offset: this.rows.lineAt(row) === anchor ? offset : 0 });
    if (this.follow.isFollowing) this.scroll.place(this.scroll.end);
    this.version++;
    this.settle();
    this.request();
  }

  /** @returns {number[]} */
  filtered() {
    const { index } = this;
    if (this.filter === "matches") return this.find.hits.map((hit) => hit[0]);
    if (!index) return [];
    return this.filter === "errors" ? index.errors : [...index.errors, ...index.warnings];
  }

  /** Puts height and scroll bar where they belong. */
  settle() {
    this.scroll.heightOf = this.isWrapped ? (row) => this.wrappedHeight(row) : null;
    this.scroll.rows = this.rows.count;
    const height = `${Math.max(this.scroll.total, 0)}px`;
    if (this.memo.height !== height) this.space.style.setProperty("block-size", height);
    this.memo.height = height;
    const at = this.scroll.align();
    if (Math.abs(this.scroller.scrollTop - at) >= 1) this.scroller.scrollTop = at;
    this.scroll.physical = this.scroller.scrollTop;
  }

  /** @param {number} row */
  wrappedHeight(row) {
    const line = this.rows.lineAt(row);
    const known = this.heights.get(line);
    if (known !== undefined) return known * ROW_HEIGHT;
    const text = this.blocks.text(line);
    if (text === undefined) return ROW_HEIGHT;
    const rows = this.folds.at(line) ? 1 : rowsOf(text, this.memo.columns);
    if (this.heights.size > 50_000) this.heights.clear();
    this.heights.set(line, rows);
    return rows * ROW_HEIGHT;
  }

  resized() {
    const [height, width] = [this.scroller.clientHeight, this.scroller.clientWidth];
    if (height === 0) return;
    this.element.style.setProperty("--log-scrollbar", `${this.scroller.offsetWidth - width}px`);
    const character = this.probe.getBoundingClientRect().width / 100 || 7.5;
    const columns = Math.max(10, Math.floor((width - this.gutter - 16) / character));
    if (columns !== this.memo.columns) {
      this.memo.columns = columns;
      this.heights.clear();
    }
    this.character = character;
    const isAtEnd = this.follow.isFollowing || (this.isPlaced && this.scroll.isAtEnd && this.scroll.row > 0);
    this.scroll.viewport = height;
    this.map.resize(height);
    this.ring.resize(Math.ceil(height / ROW_HEIGHT) + 2 * OVERSCAN + 1);
    if (isAtEnd && this.follow.isFollowing) this.scroll.place(this.scroll.end);
    this.scroll.clamp();
    this.version++;
    this.settle();
    this.request();
  }

  redraw() {
    this.map.forget();
    this.request();
  }

  request() {
    if (this.frame || this.isOver) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.render();
    });
  }

  render() {
    if (this.scroll.viewport === 0 || !this.isPlaced) return;
    this.rows.grow(this.blocks.total);
    if (this.rows.count !== this.scroll.rows || this.follow.isFollowing) {
      this.scroll.rows = this.rows.count;
      if (this.follow.isFollowing) this.scroll.place(this.scroll.end);
      this.settle();
    }
    this.showGutter();
    const { scroll } = this;
    const first = Math.max(0, scroll.row - OVERSCAN);
    let last = scroll.row;
    let y = scroll.yOf(first) ?? 0;
    const base = this.scroller.scrollTop;
    const slots = this.ring.slots.length;
    const bottom = scroll.viewport + OVERSCAN * ROW_HEIGHT;
    const lastRow = Math.min(this.rows.count - 1, first + slots - 1);
    this.ring.keep(first, lastRow);
    let changed = false;
    for (let row = first; row <= lastRow && y < bottom; row++) {
      const height = scroll.height(row);
      changed = this.fillRow(row) || changed;
      this.ring.put(row, Math.round(base + y), height);
      y += height;
      last = row;
    }
    this.ring.keep(first, last);
    this.wantRows(first, last);
    if (changed || this.version !== this.marked) this.mark();
    this.showAround(Math.max(0, scroll.rowAt(1)), scroll.rowAt(scroll.viewport - 1));
  }

  /** @param {number} first @param {number} last */
  wantRows(first, last) {
    if (this.rows.count === 0) return;
    const wanted = new Set();
    for (let row = first; row <= last; row += 8) wanted.add(blockOf(this.rows.lineAt(row)));
    wanted.add(blockOf(this.rows.lineAt(last)));
    const next = this.way < 0 ? this.rows.lineAt(Math.max(0, first - BLOCK / 2)) : this.rows.lineAt(Math.min(this.rows.count - 1, last + BLOCK / 2));
    this.blocks.wantBlocks([.../** @type {Set<number>} */ (wanted)], blockOf(next));
  }

  /** @param {number} row */
  fillRow(row) {
    const line = this.rows.lineAt(row);
    const there = this.blocks.get(line);
    const section = this.filter === "all" ? this.folds.at(line) : undefined;
    const isOpen = section ? this.folds.isOpen(section) : false;
    const cls = this.classOf(row, line, Boolean(there), section, isOpen);
    const key = `${line} ${there ? there.text.length : -1}${there?.cut ? "+" : ""} ${cls} ${this.times} ${section?.to_ms ?? ""} ${there && this.blocks.styles.size}`;
    return this.ring.fill(row, key, () => {
      const start = this.index?.started_at ? Date.parse(this.index.started_at) : null;
      const ms = there?.t_ms;
      const isKnown = ms !== null && ms !== undefined;
      return {
        line, cls, parsed: there ? this.blocks.parsed(line) : null, time: lineTime(this.times, ms, start),
        time_title: isKnown && this.times !== "off" ? (this.times === "clock" || start === null ? elapsed(ms) : clockTime(start + ms)) : "",
        section: section ? {
          title: section.title, isOpen, level: section.level,
          ms: section.to_ms !== null && section.to_ms !== undefined && section.from_ms !== null && section.from_ms !== undefined ? section.to_ms - section.from_ms : null,
        } : null,
        href: this.options.hrefOf([line, line]), isCut: there?.cut === true,
      };
    });
  }

  /**
   * @param {number} row @param {number} line @param {boolean} isThere @param {import("./folds.js").Section | undefined} section @param {boolean} isOpen
   */
  classOf(row, line, isThere, section, isOpen) {
    let cls = "log-row";
    if (!isThere) cls += " is-missing";
    if (section) cls += isOpen ? " is-section is-open" : " is-section";
    if (this.linked && line >= this.linked[0] && line <= this.linked[1]) cls += " is-linked";
    const level = this.levelOf(line);
    if (level) cls += level;
    if (this.filter !== "all" && this.rows.isAfterGap(row)) cls += " is-gap";
    if (this.find.current?.[0] === line) cls += " is-current";
    return cls;
  }

  /** @param {number} line */
  levelOf(line) {
    const { index } = this;
    if (!index) return "";
    const { errors, warnings } = index;
    if (errors[findIn(errors, line)] === line) return " is-error";
    return warnings[findIn(warnings, line)] === line ? " is-warn" : "";
  }

  showGutter() {
    const digits = Math.max(3, String(this.blocks.total).length);
    const gutter = `${digits} ${this.times} ${this.isWrapped}`;
    if (gutter === this.memo.gutterKey) return;
    this.memo.gutterKey = gutter;
    this.element.style.setProperty("--log-digits", String(digits));
    this.element.dataset.times = this.times;
    this.element.dataset.wrap = String(this.isWrapped);
    const { character } = this;
    const timeColumns = this.times === "off" ? 0 : this.times === "clock" ? 12 : 9;
    this.gutter = Math.ceil((digits + timeColumns) * character) + (timeColumns ? 44 : 32);
    if (this.isWrapped) this.resized();
  }

  /** Paints matches and what is selected. */
  mark() {
    this.marked = this.version;
    const highlights = /** @type {any} */ (CSS).highlights;
    const query = this.find.query;
    const pattern = query && !this.find.isWhole ? localPattern(query) : null;
    /** @type {Range[]} */
    const found = [];
    /** @type {Range[]} */
    const current = [];
    /** @type {Range[]} */
    const selected = [];
    for (const slot of this.ring.slots) {
      if (slot.row < 0) continue;
      const text = this.blocks.text(slot.line);
      if (text === undefined) continue;
      const isSection = slot.element.classList.contains("is-section");
      if (query && !isSection) {
        const hits = this.find.hitsOf(slot.line);
        if (hits.length === 0 && pattern) for (const match of text.matchAll(pattern)) if (match[0]) hits.push([slot.line, match.index ?? 0, match[0].length]);
        const chosen = this.find.current;
        for (const [, column, length] of hits) {
          const range = this.ring.range(slot, column, column + length);
          if (range) (chosen && chosen[0] === slot.line && chosen[1] === column ? current : found).push(range);
        }
      }
      const part = this.selection.partOf(slot.line, isSection ? slot.text.textContent?.length ?? 0 : text.length);
      slot.element.classList.toggle("is-selected-empty", part !== null && part[0] === part[1]);
      if (part && part[1] > part[0]) {
        const range = this.ring.range(slot, part[0], part[1]);
        if (range) selected.push(range);
      }
    }
    if (!highlights) return;
    const Mark = /** @type {any} */ (globalThis).Highlight;
    highlights.set("log-found", new Mark(...found));
    highlights.set("log-current", new Mark(...current));
    highlights.set("log-selected", new Mark(...selected));
  }

  /**
   * What is around the rows: sticky head, pill, map, emptiness.
   * @param {number} top @param {number} bottom Rows in sight.
   */
  showAround(top, bottom) {
    const { rows, index } = this;
    const line = rows.count > 0 ? rows.lineAt(top) : 0;
    const section = this.filter === "all" && line > 0 ? this.folds.around(line).filter((one) => one.start < line).pop() : undefined;
    this.sticky.hidden = !section;
    if (section && this.sticky.dataset.line !== String(section.start)) {
      this.sticky.dataset.line = String(section.start);
      this.sticky.textContent = section.title;
    }
    const { missed } = this.follow;
    this.pill.hidden = this.follow.state !== "reading" || (missed === 0 && !this.scroll.isAtEnd) || missed === 0;
    const pill = `↓ ${plural(missed, "1 new line", "{n} new lines")}`;
    if (!this.pill.hidden && this.pill.textContent !== pill) this.pill.textContent = pill;
    const isEmpty = rows.count === 0 && this.isPlaced;
    this.empty.hidden = !isEmpty;
    if (isEmpty) {
      this.empty.textContent = this.filter !== "all" ? t("No line of this kind.") : this.follow.state === "ended" ? t("This step wrote nothing.") : t("Nothing has been written yet.");
    }
    this.showBar();
    /** @type {import("./minimap.js").Mark[]} */
    const marks = [];
    const rowsFor = (/** @type {number[]} */ lines) => lines.map((one) => rows.rowOf(one));
    const key = `${this.version} ${rows.count} ${top} ${bottom} ${this.find.hits.length}`;
    if (key === this.memo.mapKey) return;
    this.memo.mapKey = key;
    if (index) {
      marks.push({ color: "warning", rows: rowsFor(index.warnings), side: "right" }, { color: "failed", rows: rowsFor(index.errors), side: "right" });
    }
    if (this.find.query) marks.push({ color: "log-hit", rows: rowsFor(this.find.hits.map((hit) => hit[0])), side: "left" });
    if (this.linked) marks.push({ color: "accent", rows: rowsFor([this.linked[0]]), side: "all" });
    // Behind the picture with the lines: nobody reads the map first.
    this.later("map", 0, () => this.map.draw({ rows: rows.count, first: top, last: bottom, marks }));
  }

  showBar() {
    const key = `${this.isWrapped} ${this.times} ${this.filter} ${this.follow.state} ${this.index?.error_count} ${this.index?.warning_count}`;
    if (key === this.memo.barKey) return;
    this.memo.barKey = key;
    this.element.dataset.state = this.follow.state;
    this.bar.show({
      isWrapped: this.isWrapped, times: this.times, filter: this.filter, isLive: this.follow.state !== "ended", isFollowing: this.follow.isFollowing,
      errors: this.index?.error_count ?? 0, warnings: this.index?.warning_count ?? 0,
    });
  }
}
