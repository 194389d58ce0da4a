// What the server has of one attempt's log: lines, the index, search, and new lines while it runs.

/**
 * @typedef {object} Index
 * @property {number} attempt
 * @property {number} total
 * @property {number} bytes
 * @property {boolean} complete
 * @property {number} scanned
 * @property {string | null} started_at
 * @property {number} error_count
 * @property {number} warning_count
 * @property {number[]} errors
 * @property {number[]} warnings
 * @property {import("./folds.js").Section[]} sections
 * @property {{block: number, sgr: string}[]} styles
 */

import { BLOCK, blockOf } from "./blocks.js";

export class Source {
  /**
   * @param {object} options
   * @param {number} options.runId
   * @param {string} options.step `job/step`.
   * @param {number} options.attempt
   * @param {{get: (path: string, options?: {signal?: AbortSignal}) => Promise<any>}} options.api
   */
  constructor({ runId, step, attempt, api }) {
    this.api = api;
    this.runId = runId;
    this.attempt = attempt;
    this.key = `${step}/${attempt}`;
    const parts = step.split("/");
    // A step's name has no slash; what stands before it is the job's.
    const name = parts.pop() ?? "";
    const path = parts.length > 0 ? `${encodeURIComponent(parts.join("/"))}/${encodeURIComponent(name)}` : encodeURIComponent(name);
    /** @type {Promise<import("./blocks.js").Page> | null} */
    this.first = null;
    /** @type {Promise<Index> | null} */
    this.firstIndex = null;
    this.path = `/api/v1/pipeline-runs/${runId}/steps/${path}/log`;
  }

  /**
   * Asks for what a viewer opens with, before there is one.
   * @param {[number, number] | null} lines that are linked @param {{ isLive: boolean, isFailed: boolean }} of
   */
  begin(lines, { isLive, isFailed }) {
    this.first = lines ? this.block(blockOf(lines[0])) : isLive || isFailed ? this.tail() : this.block(0);
    this.firstIndex = this.index();
    // Who takes them is told what went wrong.
    this.first.catch(() => {});
    this.firstIndex.catch(() => {});
  }

  /**
   * What was asked for at the beginning; once.
   * @template {"first" | "firstIndex"} K
   * @param {K} name
   */
  take(name) {
    const promise = this[name];
    this[name] = null;
    return promise;
  }

  /** @param {number} block @param {AbortSignal} [signal] @returns {Promise<import("./blocks.js").Page>} */
  block(block, signal) {
    return this.lines(`from_line=${block * BLOCK + 1}&lines=${BLOCK}`, signal);
  }

  /** @param {AbortSignal} [signal] */
  tail(signal) {
    return this.lines(`tail=${BLOCK}`, signal);
  }

  /** @param {string} query @param {AbortSignal} [signal] @returns {Promise<import("./blocks.js").Page>} */
  async lines(query, signal) {
    return this.api.get(`${this.path}?attempt=${this.attempt}&format=json&${query}`, signal ? { signal } : {});
  }

  /** @param {AbortSignal} [signal] @returns {Promise<Index>} */
  index(signal) {
    return this.api.get(`${this.path}/index?attempt=${this.attempt}`, signal ? { signal } : {});
  }

  /**
   * @param {import("./find.js").Query} query @param {number} fromLine @param {number} limit @param {AbortSignal} signal
   * @returns {Promise<import("./find.js").Answer>}
   */
  search(query, fromLine, limit, signal) {
    const mode = query.isRegex ? "regex" : "text";
    const fields = `q=${encodeURIComponent(query.text)}&mode=${mode}&case=${query.matchesCase}&from_line=${fromLine}&limit=${limit}`;
    return this.api.get(`${this.path}/search?attempt=${this.attempt}&${fields}`, { signal });
  }

  /**
   * One line, however long it is.
   * @param {number} line
   */
  whole(line) {
    return `${this.path}?attempt=${this.attempt}&format=raw&line=${line}`;
  }

  /** The stored bytes. */
  get raw() {
    return `${this.path}?attempt=${this.attempt}&format=raw`;
  }

  /** As text that a browser shows. */
  get plain() {
    return `${this.path}?attempt=${this.attempt}&format=text`;
  }
}
