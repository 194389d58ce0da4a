// Searching a log on the server. The count is of the whole log; the hits come in pages, from the top, and where somebody looks further
// down a page from there. Of a log that grows only the new part is looked through again.

/** @typedef {[line: number, column: number, length: number]} Hit */
/** @typedef {{count: number, lines: number, total: number, complete: boolean, next_line: number | null, hits: Hit[]}} Answer */
/** @typedef {{text: string, isRegex: boolean, matchesCase: boolean}} Query */

export const PAGE = 2000;

/**
 * The first place in a sorted list whose line is not below.
 * @param {Hit[]} hits @param {number} line @param {number} [column]
 */
export function place(hits, line, column = -1) {
  let low = 0;
  let high = hits.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const hit = /** @type {Hit} */ (hits[middle]);
    if (hit[0] < line || (hit[0] === line && hit[1] < column)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class Find {
  /**
   * @param {object} options
   * @param {(query: Query, fromLine: number, limit: number, signal: AbortSignal) => Promise<Answer>} options.search
   * @param {() => void} options.onChange
   * @param {(message: string) => void} options.onError
   */
  constructor({ search, onChange, onError }) {
    this.search = search;
    this.onChange = onChange;
    this.onError = onError;
    /** @type {Query | null} */
    this.query = null;
    /** @type {Hit[]} Sorted. */
    this.hits = [];
    this.count = 0;
    /** Lines with hits. */
    this.lines = 0;
    /** Up to here every hit is in `hits`. */
    this.known = 0;
    /** The line where counting goes on. */
    this.next = 1;
    this.isBusy = false;
    this.error = "";
    /** @type {Hit | null} */
    this.current = null;
    this.order = 0;
    /** @type {AbortController | null} */
    this.controller = null;
  }

  reset() {
    this.controller?.abort();
    Object.assign(this, { hits: [], count: 0, lines: 0, known: 0, next: 1, isBusy: false, error: "", current: null, order: 0, controller: null });
  }

  /** Whether all hits are here. */
  get isWhole() {
    return this.hits.length >= this.count;
  }

  /** @param {Query | null} query */
  async start(query) {
    this.reset();
    this.query = query && query.text !== "" ? query : null;
    this.onChange();
    if (this.query) await this.goOn();
  }

  /** Looks through what was not looked through yet. */
  async goOn() {
    const { query } = this;
    if (!query || this.isBusy || this.error) return;
    const controller = new AbortController();
    this.controller = controller;
    this.isBusy = true;
    try {
      /** @type {number | null} */
      let from = this.next;
      while (from !== null) {
        const wasWhole = this.isWhole;
        /** @type {Answer} */
        const answer = await this.search(query, from, PAGE, controller.signal);
        if (controller.signal.aborted) return;
        this.count += answer.count;
        this.lines += answer.lines;
        const end = answer.next_line === null ? answer.total + 1 : answer.next_line;
        if (wasWhole) {
          this.hits.push(...answer.hits);
          const last = answer.hits[answer.hits.length - 1];
          this.known = answer.hits.length >= answer.count ? end - 1 : (last?.[0] ?? from) - 1;
        }
        this.next = end;
        from = answer.next_line;
        this.onChange();
      }
    } catch (error) {
      if (controller.signal.aborted) return;
      this.error = error instanceof Error ? error.message : String(error);
      this.onError(this.error);
    } finally {
      if (this.controller === controller) this.isBusy = false;
    }
    this.onChange();
  }

  /**
   * The log has grown.
   * @param {number} total
   */
  grew(total) {
    if (this.query && !this.isBusy && this.next <= total) void this.goOn();
  }

  /**
   * The next hit behind, or before, a place; round the ends.
   * @param {number} line @param {number} column @param {1 | -1} way
   * @returns {Promise<Hit | null>}
   */
  async step(line, column, way) {
    if (!this.query || this.count === 0) return null;
    if (this.isWhole || (way > 0 && line < this.known)) return this.choose(this.near(line, column, way));
    return this.far(line, column, way);
  }

  /** @param {number} line @param {number} column @param {1 | -1} way */
  near(line, column, way) {
    const { hits } = this;
    let at = way > 0 ? place(hits, line, column + 1) : place(hits, line, column) - 1;
    if (at >= hits.length) at = 0;
    if (at < 0) at = hits.length - 1;
    this.order = at + 1;
    return hits[at] ?? null;
  }

  /** @param {Hit | null} hit */
  choose(hit) {
    this.current = hit;
    this.onChange();
    return hit;
  }

  /**
   * Beyond what is here: a page of its own.
   * @param {number} line @param {number} column @param {1 | -1} way
   * @returns {Promise<Hit | null>}
   */
  async far(line, column, way) {
    const query = /** @type {Query} */ (this.query);
    const controller = new AbortController();
    const all = /** @type {Hit[]} */ ([]);
    // Upwards, from ever further above.
    for (let span = 2000; ; span *= 8) {
      const from = way > 0 ? line : Math.max(1, line - span);
      let counted = 0;
      all.length = 0;
      /** @type {number | null} */
      let next = from;
      while (next !== null) {
        /** @type {Answer} */
        const answer = await this.search(query, next, 20_000, controller.signal);
        if (this.query !== query) return null;
        counted += answer.count;
        all.push(...answer.hits);
        next = answer.next_line;
      }
      const at = way > 0 ? place(all, line, column + 1) : place(all, line, column) - 1;
      const hit = all[at];
      if (hit) {
        this.order = this.count - counted + at + 1;
        return this.choose(hit);
      }
      if (way > 0) return this.choose(this.near(0, 0, 1));
      if (from === 1) return this.far(Number.MAX_SAFE_INTEGER / 16, 0, -1);
    }
  }

  /**
   * The hits of a line, as far as they are here.
   * @param {number} line
   */
  hitsOf(line) {
    const found = [];
    for (let at = place(this.hits, line); at < this.hits.length; at++) {
      const hit = /** @type {Hit} */ (this.hits[at]);
      if (hit[0] !== line) break;
      found.push(hit);
    }
    return found;
  }
}

/**
 * The same search in one line, for lines whose hits are not here. Nothing where the pattern is none of JavaScript's.
 * @param {Query} query
 * @returns {RegExp | null}
 */
export function localPattern({ text, isRegex, matchesCase }) {
  try {
    const source = isRegex ? text : text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    return new RegExp(source, matchesCase ? "g" : "gi");
  } catch {
    return null;
  }
}
