// The lines of a log, as far as they are here: blocks of 512 lines, pulled when somebody looks at them, kept while they are of use.
// A line's number is its only name, so whatever comes twice or in another order changes nothing.

import { PLAIN, fromSgr, parse, visible } from "./ansi.js";

export const BLOCK = 512;

/** @typedef {{n: number, t_ms: number | null, text: string, partial?: boolean, cut?: boolean}} Line */
/** @typedef {{first_line: number, total: number, complete: boolean, lines: Line[]}} Page */

/**
 * @typedef {object} Block
 * @property {(Line | undefined)[]} lines
 * @property {import("./ansi.js").Sgr[]} looks What is in force at the beginning of each line, as far as it was worked out.
 * @property {boolean} isPlain No line of it has a control.
 */

// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/;

/** @param {number} line */
export const blockOf = (line) => Math.floor((line - 1) / BLOCK);

export class Blocks {
  /**
   * @param {object} options
   * @param {(block: number, signal: AbortSignal) => Promise<Page>} options.fetch
   * @param {(page: Page) => void} options.onPage A page has come.
   * @param {(error: unknown) => void} options.onError
   * @param {number} [options.capacity] Blocks that are kept.
   */
  constructor({ fetch, onPage, onError, capacity = 200 }) {
    this.fetch = fetch;
    this.onPage = onPage;
    this.onError = onError;
    this.capacity = capacity;
    /** @type {Map<number, Block>} Oldest use first. */
    this.blocks = new Map();
    /** @type {Map<number, AbortController>} */
    this.loading = new Map();
    /** @type {Map<number, import("./ansi.js").Sgr>} What is in force where blocks begin, as the server says. */
    this.styles = new Map();
    /** Lines of the log, as far as known. */
    this.total = 0;
    this.requests = 0;
  }

  /** @param {{block: number, sgr: string}[]} styles */
  setStyles(styles) {
    for (const { block, sgr } of styles) this.styles.set(block, fromSgr(sgr));
    for (const { block } of styles) {
      const there = this.blocks.get(block);
      if (there) there.looks = [];
    }
  }

  /** @param {number} line @returns {Line | undefined} */
  get(line) {
    return this.blocks.get(blockOf(line))?.lines[(line - 1) % BLOCK];
  }

  /**
   * Whether all lines of a block that the log has are here.
   * @param {number} block
   */
  isWhole(block) {
    const there = this.blocks.get(block);
    if (!there) return false;
    const last = Math.min(BLOCK, this.total - block * BLOCK);
    const line = there.lines[last - 1];
    if (line === undefined || (line.partial && block * BLOCK + last < this.total)) return false;
    // Pushed lines may begin within a block, or go on behind some that were left out.
    for (let index = 0; index < last; index++) if (there.lines[index] === undefined) return false;
    return true;
  }

  /**
   * Asks for what is looked at, and for a block more in the direction of reading. What is not wanted any more is called off.
   * @param {number} first @param {number} last Lines.
   * @param {number} way Below 0 for up.
   */
  want(first, last, way) {
    if (this.total === 0) return;
    const from = blockOf(Math.max(1, first));
    const to = blockOf(Math.max(1, Math.min(last, this.total)));
    const wanted = [];
    // A fold can lie between the first and the last line: what is wanted is asked for by `wantLines`.
    for (let block = from; block <= to && wanted.length < 8; block++) wanted.push(block);
    this.wantBlocks(wanted, way < 0 ? from - 1 : to + 1);
  }

  /** @param {number[]} visible @param {number} next The block that is likely to be looked at next. */
  wantBlocks(visible, next) {
    const most = blockOf(Math.max(1, this.total));
    const wanted = [...visible, next].filter((block) => block >= 0 && block <= most);
    for (const [block, controller] of this.loading) {
      if (wanted.includes(block)) continue;
      controller.abort();
      this.loading.delete(block);
    }
    for (const block of wanted) {
      const there = this.blocks.get(block);
      if (there) {
        this.blocks.delete(block);
        this.blocks.set(block, there);
      }
      if (!this.isWhole(block)) this.load(block);
    }
  }

  /** @param {number} block @returns {Promise<void>} */
  async load(block) {
    if (this.loading.has(block)) return;
    const controller = new AbortController();
    this.loading.set(block, controller);
    this.requests++;
    try {
      const page = await this.fetch(block, controller.signal);
      if (controller.signal.aborted) return;
      this.take(page);
    } catch (error) {
      if (!controller.signal.aborted) this.onError(error);
    } finally {
      if (this.loading.get(block) === controller) this.loading.delete(block);
    }
  }

  /** @param {Page} page */
  take(page) {
    this.total = Math.max(this.total, page.total);
    this.put(page.lines);
    this.onPage(page);
  }

  /**
   * Lines that were pushed, or that a page had.
   * @param {Line[]} lines
   */
  put(lines) {
    /** @type {Block | undefined} */
    let block;
    let number = -1;
    for (const line of lines) {
      const of = blockOf(line.n);
      if (of !== number || !block) {
        number = of;
        block = this.block(of);
      }
      const at = (line.n - 1) % BLOCK;
      const old = block.lines[at];
      // An unfinished line is replaced by a longer one, never the other way.
      if (old && !old.partial && line.partial) continue;
      block.lines[at] = line;
      if (block.isPlain && CONTROL.test(line.text)) block.isPlain = false;
      if (block.looks.length > at + 1) block.looks.length = at + 1;
      if (line.n > this.total) this.total = line.n;
    }
    this.trim();
  }

  /** @param {number} number */
  block(number) {
    const there = this.blocks.get(number);
    if (there) return there;
    /** @type {Block} */
    const made = { lines: [], looks: [], isPlain: true };
    this.blocks.set(number, made);
    return made;
  }

  trim() {
    for (const number of this.blocks.keys()) {
      if (this.blocks.size <= this.capacity) break;
      this.blocks.delete(number);
    }
  }

  /**
   * What is in force where a line begins.
   * @param {number} line @returns {import("./ansi.js").Sgr}
   */
  look(line) {
    const number = blockOf(line);
    const block = this.blocks.get(number);
    if (!block) return PLAIN;
    const at = (line - 1) % BLOCK;
    const first = this.styles.get(number) ?? this.endOf(number - 1);
    if (block.isPlain) return first;
    if (block.looks.length === 0) block.looks.push(first);
    while (block.looks.length <= at) {
      const before = block.looks.length - 1;
      const text = block.lines[before]?.text;
      const start = /** @type {import("./ansi.js").Sgr} */ (block.looks[before]);
      block.looks.push(text === undefined ? start : parse(text, start).state);
    }
    return /** @type {import("./ansi.js").Sgr} */ (block.looks[at]);
  }

  /**
   * What is in force behind a block, where that is known.
   * @param {number} number
   */
  endOf(number) {
    const block = this.blocks.get(number);
    if (!block || block.isPlain || block.lines.length < BLOCK) return PLAIN;
    const last = block.lines[BLOCK - 1];
    return last ? parse(last.text, this.look(last.n)).state : PLAIN;
  }

  /**
   * A line as it is shown.
   * @param {number} line @returns {import("./ansi.js").Parsed | null}
   */
  parsed(line) {
    const there = this.get(line);
    return there ? parse(there.text, this.look(line)) : null;
  }

  /**
   * What is seen of a line.
   * @param {number} line @returns {string | undefined}
   */
  text(line) {
    const there = this.get(line);
    return there && visible(there.text);
  }

  /**
   * All lines from one to another, fetching what is missing, for copying.
   * @param {number} first @param {number} last @param {AbortSignal} signal
   * @param {(lines: string[]) => void} give Called with consecutive parts.
   */
  async read(first, last, signal, give) {
    for (let number = blockOf(first); number <= blockOf(last); number++) {
      let lines = this.isWhole(number) ? this.blocks.get(number)?.lines : undefined;
      lines ??= (await this.fetch(number, signal)).lines;
      const wanted = lines.filter((line) => line !== undefined && line.n >= first && line.n <= last);
      give(wanted.map((line) => visible(/** @type {Line} */ (line).text)));
    }
  }

  /** The log began anew: nothing of what is here holds. */
  clear() {
    for (const controller of this.loading.values()) controller.abort();
    this.loading.clear();
    this.blocks.clear();
    this.styles.clear();
    this.total = 0;
  }
}
