// Which lines are shown. A log of `total` lines is seen through intervals of shown lines, in order and apart from each other: closed
// sections leave gaps, a filter leaves only what it found. Rows count from 0, lines from 1; both ways cost a binary search.

/**
 * @typedef {object} Section
 * @property {number} start The line that begins it and stays in sight.
 * @property {number | null} end Its last line; nothing while it is open-ended.
 * @property {string} title
 * @property {number} level 1 for the outermost.
 * @property {boolean | null} [open] How the log wants it; nothing where it does not say.
 * @property {number | null} [from_ms] When it began, in milliseconds of the attempt.
 * @property {number | null} [to_ms]
 */

/** @typedef {[from: number, to: number]} Interval Both lines belong to it. */

export class Rows {
  /**
   * @param {number} total Lines of the log.
   * @param {Interval[]} hidden In any order; they may touch and overlap.
   */
  constructor(total, hidden = []) {
    this.total = total;
    /** @type {number[]} First lines of the shown intervals. */
    this.starts = [];
    /** @type {number[]} Rows before each shown interval. */
    this.before = [];
    this.hidden = merge(hidden);
    this.isFilter = false;
    this.count = 0;
    this.build();
  }

  /**
   * Shows only some intervals of lines.
   * @param {number} total
   * @param {Interval[]} shown
   */
  static only(total, shown) {
    const rows = new Rows(total);
    rows.hidden = invert(merge(shown));
    rows.isFilter = true;
    rows.build();
    return rows;
  }

  build() {
    this.starts = [];
    this.before = [];
    let line = 1;
    let row = 0;
    for (const [from, to] of this.hidden) {
      if (from > this.total) break;
      if (from > line) {
        this.starts.push(line);
        this.before.push(row);
        row += from - line;
      }
      line = Math.max(line, to + 1);
    }
    if (line <= this.total) {
      this.starts.push(line);
      this.before.push(row);
      row += this.total - line + 1;
    }
    this.count = row;
  }

  /**
   * The log has grown.
   * @param {number} total
   */
  grow(total) {
    if (total <= this.total) return;
    const last = this.hidden[this.hidden.length - 1];
    const old = this.total;
    this.total = total;
    const isTailShown = (!last || last[1] < old) && this.starts.length > 0;
    if (isTailShown && (!last || last[0] <= old)) this.count += total - old;
    else this.build();
  }

  /**
   * The line of a row.
   * @param {number} row
   */
  lineAt(row) {
    const at = find(this.before, row);
    return at < 0 ? 1 : /** @type {number} */ (this.starts[at]) + row - /** @type {number} */ (this.before[at]);
  }

  /**
   * The row of a line, or of the nearest shown line above it; 0 where there is none above.
   * @param {number} line
   */
  rowOf(line) {
    const at = find(this.starts, line);
    if (at < 0) return 0;
    const end = at + 1 < this.before.length ? /** @type {number} */ (this.before[at + 1]) : this.count;
    return Math.min(end - 1, /** @type {number} */ (this.before[at]) + line - /** @type {number} */ (this.starts[at]));
  }

  /** @param {number} line */
  isShown(line) {
    return this.count > 0 && line >= 1 && line <= this.total && this.lineAt(this.rowOf(line)) === line;
  }

  /**
   * Whether lines are left out just above a row.
   * @param {number} row
   */
  isAfterGap(row) {
    const at = find(this.before, row);
    return at >= 0 && this.before[at] === row && this.starts[at] !== 1;
  }
}

/**
 * The last index whose value is not above `value`; -1 where there is none.
 * @param {number[]} list @param {number} value
 */
export function find(list, value) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {number} */ (list[middle]) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** @param {Interval[]} intervals @returns {Interval[]} */
export function merge(intervals) {
  /** @type {Interval[]} */
  const merged = [];
  const sorted = intervals.filter(([from, to]) => from <= to).sort((a, b) => a[0] - b[0]);
  for (const [from, to] of sorted) {
    const last = merged[merged.length - 1];
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** @param {Interval[]} shown Merged. @returns {Interval[]} */
export function invert(shown) {
  /** @type {Interval[]} */
  const hidden = [];
  let line = 1;
  for (const [from, to] of shown) {
    if (from > line) hidden.push([line, from - 1]);
    line = to + 1;
  }
  hidden.push([line, Infinity]);
  return hidden;
}

/**
 * The intervals around some lines.
 * @param {Iterable<number>} lines @param {number} context @param {number} total @returns {Interval[]}
 */
export function around(lines, context, total) {
  /** @type {Interval[]} */
  const intervals = [];
  for (const line of lines) intervals.push([Math.max(1, line - context), Math.min(total, line + context)]);
  return merge(intervals);
}

/** Sections of a log and which of them are open. */
export class Folds {
  constructor() {
    /** @type {Section[]} */
    this.sections = [];
    /** @type {number[]} Their first lines. */
    this.starts = [];
    /** @type {Map<number, boolean>} What the reader chose, by first line. */
    this.chosen = new Map();
    this.isFailed = false;
    this.isLive = false;
  }

  /**
   * @param {Section[]} sections By first line.
   * @param {{isFailed: boolean, isLive: boolean}} run
   */
  set(sections, { isFailed, isLive }) {
    this.sections = sections;
    this.isFailed = isFailed;
    this.isLive = isLive;
    this.starts = sections.map((section) => section.start);
  }

  /** The log's last section: where a failed one failed, where a running one is. */
  get last() {
    return this.sections[this.sections.length - 1];
  }

  /** @param {Section} section */
  isOpen(section) {
    const chosen = this.chosen.get(section.start);
    if (chosen !== undefined) return chosen;
    if (section.open === true) return true;
    const last = this.last;
    const holdsLast = last !== undefined && section.start <= last.start && (section.end === null || section.end >= last.start);
    if (holdsLast && (this.isFailed || this.isLive)) return true;
    // A log of one section would seem empty.
    return section.open === null && this.sections.length === 1;
  }

  /** @param {Section} section @param {boolean} open */
  choose(section, open) {
    this.chosen.set(section.start, open);
  }

  /** @param {boolean} open */
  chooseAll(open) {
    for (const section of this.sections) this.chosen.set(section.start, open);
  }

  /**
   * What closed sections hide.
   * @param {number} total @returns {Interval[]}
   */
  hidden(total) {
    /** @type {Interval[]} */
    const hidden = [];
    for (const section of this.sections) if (!this.isOpen(section)) hidden.push([section.start + 1, section.end ?? total]);
    return hidden;
  }

  /**
   * The section that a line begins.
   * @param {number} line
   */
  at(line) {
    const index = find(this.starts, line);
    const section = this.sections[index];
    return section && section.start === line ? section : undefined;
  }

  /**
   * The sections around a line, outermost first.
   * @param {number} line
   */
  around(line) {
    return this.sections.filter((section) => section.start <= line && (section.end === null || section.end >= line));
  }

  /**
   * Opens what hides a line.
   * @param {number} line @returns {boolean} Whether anything was closed.
   */
  reveal(line) {
    let changed = false;
    for (const section of this.around(line)) {
      if (section.start === line || this.isOpen(section)) continue;
      this.choose(section, true);
      changed = true;
    }
    return changed;
  }

  /**
   * The next section's first line, up or down from a line.
   * @param {number} line @param {1 | -1} way
   */
  next(line, way) {
    const starts = this.starts;
    const at = way > 0 ? find(starts, line) + 1 : find(starts, line - 1);
    return starts[at];
  }
}
