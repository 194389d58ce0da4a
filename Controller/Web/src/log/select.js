// What is selected in a log, by line and column: it survives rows that come and go, and can be longer than what is in the page.

/** @typedef {{line: number, column: number}} Point */
/** @typedef {{from: Point, to: Point}} Range */

/** Characters that go onto the clipboard at most; more is offered as a file. */
export const COPY_MAX = 5_000_000;

/** @param {Point} a @param {Point} b */
export function isBefore(a, b) {
  return a.line < b.line || (a.line === b.line && a.column < b.column);
}

export class Selection {
  constructor() {
    /** @type {Point | null} */
    this.anchor = null;
    /** @type {Point | null} */
    this.focus = null;
  }

  /** @returns {Range | null} In order; nothing where nothing is selected. */
  get range() {
    const { anchor, focus } = this;
    if (!anchor || !focus || (anchor.line === focus.line && anchor.column === focus.column)) return null;
    return isBefore(anchor, focus) ? { from: anchor, to: focus } : { from: focus, to: anchor };
  }

  /** @param {Point} point */
  start(point) {
    this.anchor = point;
    this.focus = point;
  }

  /** @param {Point} point */
  extend(point) {
    this.anchor ??= point;
    this.focus = point;
  }

  /** @param {number} from @param {number} to Whole lines. */
  lines(from, to) {
    this.anchor = { line: from, column: 0 };
    this.focus = { line: to, column: Infinity };
  }

  clear() {
    this.anchor = null;
    this.focus = null;
  }

  /**
   * The selected part of a line.
   * @param {number} line @param {number} length Of its text.
   * @returns {[from: number, to: number] | null}
   */
  partOf(line, length) {
    const range = this.range;
    if (!range || line < range.from.line || line > range.to.line) return null;
    const from = line === range.from.line ? Math.min(length, range.from.column) : 0;
    const to = line === range.to.line ? Math.min(length, range.to.column) : length;
    return to > from || (line < range.to.line && line >= range.from.line) ? [from, to] : null;
  }

  /**
   * The selected text of consecutive lines.
   * @param {number} first Number of the first of `texts`. @param {string[]} texts
   */
  cut(first, texts) {
    const range = this.range;
    if (!range) return texts;
    return texts.map((text, at) => {
      const line = first + at;
      const to = line === range.to.line ? range.to.column : text.length;
      return text.slice(line === range.from.line ? range.from.column : 0, Math.min(text.length, to));
    });
  }
}

/**
 * The word around a column, as a double click selects it.
 * @param {string} text @param {number} column @returns {[number, number]}
 */
export function wordAt(text, column) {
  const isWord = (/** @type {string | undefined} */ character) => character !== undefined && /[\p{L}\p{N}_.\-/:@]/u.test(character);
  let from = column;
  let to = column;
  if (!isWord(text[from]) && isWord(text[from - 1])) from--;
  if (!isWord(text[from])) return [column, Math.min(text.length, column + 1)];
  while (isWord(text[from - 1])) from--;
  to = from;
  while (isWord(text[to])) to++;
  return [from, to];
}

/**
 * `120` or `120-134` of an address.
 * @param {string | null | undefined} text @returns {[number, number] | null}
 */
export function parseLines(text) {
  const found = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(text ?? "");
  if (!found) return null;
  const from = Math.max(1, Number(found[1]));
  const to = found[2] ? Math.max(1, Number(found[2])) : from;
  return from <= to ? [from, to] : [to, from];
}

/** @param {[number, number]} lines */
export const formatLines = ([from, to]) => (from === to ? String(from) : `${from}-${to}`);
