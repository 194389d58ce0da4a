// Whether the page goes along with a log that grows. It does so until the reader does anything that means "stay", and again when the
// reader comes to the end or asks for it; it never decides by itself.
//
//            up, select, find, link                        end reached, End, pill
//   follow ─────────────────────────► reading   reading ──────────────────────────► follow
//   any ── the log has ended and all of it is here ──► ended

export class Follow {
  /** @param {{isLive: boolean, follows: boolean}} start */
  constructor({ isLive, follows }) {
    /** @type {"follow" | "reading" | "ended"} */
    this.state = !isLive ? "ended" : follows ? "follow" : "reading";
    this.total = 0;
    /** Lines that the log had when the reader stayed behind. */
    this.seen = 0;
    /** @type {number | null} What it had when it ended. */
    this.end = null;
  }

  get isFollowing() {
    return this.state === "follow";
  }

  /** New lines since the reader stayed behind. */
  get missed() {
    return this.state === "reading" ? Math.max(0, this.total - this.seen) : 0;
  }

  /** @param {number} total @returns {boolean} Whether it has grown. */
  grew(total) {
    if (total <= this.total) return false;
    this.total = total;
    if (this.state !== "reading") this.seen = total;
    this.settle();
    return true;
  }

  /** The reader wants to stay where the page is. */
  stay() {
    if (this.state !== "follow") return;
    this.state = "reading";
    this.seen = this.total;
  }

  /**
   * The reader is at the end, or wants to be.
   * @returns {boolean} Whether the page goes along now.
   */
  goOn() {
    if (this.state === "reading") {
      this.state = "follow";
      this.seen = this.total;
      this.settle();
    }
    return this.state === "follow";
  }

  /**
   * The log has ended with so many lines.
   * @param {number} total
   */
  ended(total) {
    this.end = total;
    this.grew(total);
    this.settle();
  }

  /** It ran again. */
  restart() {
    if (this.state === "ended") this.state = "reading";
    this.end = null;
    this.total = 0;
    this.seen = 0;
  }

  settle() {
    if (this.end !== null && this.total >= this.end) this.state = "ended";
  }
}
