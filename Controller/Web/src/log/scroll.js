// Where the reader is in a log, and how that maps to the scroll bar.
//
// Browsers can't make an element as tall as a million rows (Firefox ends at 17.9 million pixels), so the scrolled element has a capped
// height. Wheel, keys and small drags move the place in the log by as many pixels as the bar moved; larger jumps map in proportion.
// When the reader rests, the bar is put where the place in the log says it should be.

export const HEIGHT_MAX = 8_000_000;

/** @typedef {{row: number, offset: number}} Place A row, and pixels of it that are scrolled out. */

export class Scroll {
  /** @param {{rowHeight: number, heightMax?: number}} options */
  constructor({ rowHeight, heightMax = HEIGHT_MAX }) {
    this.rowHeight = rowHeight;
    this.heightMax = heightMax;
    this.rows = 0;
    this.viewport = 0;
    /** Where the bar is. */
    this.physical = 0;
    this.row = 0;
    this.offset = 0;
    /** @type {((row: number) => number) | null} Heights where rows differ: with wrapped lines. */
    this.heightOf = null;
    /** How much taller than one row the average one is. */
    this.stretch = 1;
  }

  /** @param {number} row */
  height(row) {
    return this.heightOf ? this.heightOf(row) : this.rowHeight;
  }

  /** How tall the scrolled element is. */
  get total() {
    return Math.min(Math.ceil(this.rows * this.rowHeight * (this.heightOf ? this.stretch : 1)), this.heightMax);
  }

  /** Whether a pixel of the bar is a pixel of the log everywhere. */
  get isExact() {
    return !this.heightOf && this.rows * this.rowHeight <= this.heightMax;
  }

  get physicalMax() {
    return Math.max(0, this.total - this.viewport);
  }

  /**
   * The last place: the last row ends at the viewport's end.
   * @returns {Place}
   */
  get end() {
    if (!this.heightOf) return this.placeAt(Math.max(0, this.rows * this.rowHeight - this.viewport));
    let rest = this.viewport;
    let row = this.rows;
    while (row > 0 && rest > 0) rest -= this.height(--row);
    return rest > 0 ? { row: 0, offset: 0 } : { row, offset: -rest };
  }

  /** @param {number} pixels @returns {Place} */
  placeAt(pixels) {
    const row = Math.floor(pixels / this.rowHeight);
    return { row, offset: pixels - row * this.rowHeight };
  }

  get isAtEnd() {
    const end = this.end;
    return this.row > end.row || (this.row === end.row && this.offset >= end.offset - 1);
  }

  /** @param {Place} place */
  place(place) {
    this.row = place.row;
    this.offset = place.offset;
    this.clamp();
  }

  clamp() {
    if (this.row < 0 || (this.row === 0 && this.offset < 0)) {
      this.row = 0;
      this.offset = 0;
    }
    const end = this.end;
    if (this.row > end.row || (this.row === end.row && this.offset > end.offset)) {
      this.row = end.row;
      this.offset = end.offset;
    }
  }

  /**
   * Moves by pixels of the log.
   * @param {number} pixels
   */
  moveBy(pixels) {
    if (!this.heightOf) {
      this.place(this.placeAt(Math.max(0, this.row * this.rowHeight + this.offset + pixels)));
      return;
    }
    this.offset += pixels;
    while (this.offset < 0 && this.row > 0) this.offset += this.height(--this.row);
    while (this.row < this.rows - 1 && this.offset >= this.height(this.row)) this.offset -= this.height(this.row++);
    this.clamp();
  }

  /**
   * The bar was moved.
   * @param {number} physical Where it is now.
   * @returns {boolean} Whether it was a jump.
   */
  scrolled(physical) {
    const moved = physical - this.physical;
    this.physical = physical;
    if (this.isExact) {
      this.place(this.placeAt(physical));
      return Math.abs(moved) >= 3 * this.viewport;
    }
    if (Math.abs(moved) < 3 * this.viewport) {
      this.moveBy(moved);
      return false;
    }
    const part = this.physicalMax > 0 ? Math.min(1, Math.max(0, physical / this.physicalMax)) : 0;
    this.toPart(part);
    return true;
  }

  /** @param {number} part 0 is the first place, 1 the last. */
  toPart(part) {
    const end = this.end;
    if (!this.heightOf) {
      this.place(this.placeAt(Math.round(part * (end.row * this.rowHeight + end.offset))));
      return;
    }
    const at = part * (end.row + (end.offset > 0 ? end.offset / this.height(end.row) : 0));
    const row = Math.floor(at);
    this.place(part >= 1 ? end : { row, offset: (at - row) * this.height(row) });
  }

  /** How far from an end the bar moves as the log does. */
  get slack() {
    return Math.min(4 * this.viewport, this.physicalMax / 2);
  }

  /**
   * Pixels of the log above the place, and no more than `most`.
   * @param {number} most
   */
  above(most) {
    if (!this.heightOf) return Math.min(most, this.row * this.rowHeight + this.offset);
    let sum = this.offset;
    for (let row = this.row; row > 0 && sum < most; row--) sum += this.height(row - 1);
    return Math.min(most, sum);
  }

  /**
   * Pixels of the log from the place to the last place, and no more than `most`.
   * @param {number} most
   */
  below(most) {
    const end = this.end;
    if (!this.heightOf) return Math.max(0, Math.min(most, (end.row - this.row) * this.rowHeight + end.offset - this.offset));
    let sum = end.offset - this.offset;
    for (let row = this.row; row < end.row && sum < most; row++) sum += this.height(row);
    return Math.max(0, Math.min(most, sum));
  }

  /** Where the bar belongs for the place in the log: in proportion, but near the ends as far from them as the place is. */
  get ideal() {
    if (this.isExact) return this.row * this.rowHeight + this.offset;
    const { slack, physicalMax } = this;
    const below = this.below(slack);
    if (below < slack) return Math.round(physicalMax - below);
    const above = this.above(slack);
    if (above < slack) return Math.round(above);
    const end = this.end;
    const part = (this.row + this.offset / Math.max(1, this.height(this.row))) / Math.max(1, end.row);
    return Math.round(Math.min(physicalMax - slack, Math.max(slack, part * physicalMax)));
  }

  /** Whether the bar is closer to an end than the log is: then it must be put right at once. */
  get isStuck() {
    if (this.isExact) return false;
    const { slack, physical, physicalMax } = this;
    if (physical < slack) return this.above(slack) > physical + 1;
    return physical > physicalMax - slack && this.below(slack) > physicalMax - physical + 1;
  }

  /**
   * Puts the bar where the place says.
   * @returns {number} Where it is to be set.
   */
  align() {
    this.physical = this.ideal;
    return this.physical;
  }

  /**
   * Goes to a row.
   * @param {number} row
   * @param {"top" | "center" | "nearest" | "bottom"} align
   * @param {number} [margin] Pixels at the top that something covers.
   */
  toRow(row, align, margin = 0) {
    const at = Math.max(0, Math.min(this.rows - 1, row));
    const height = this.height(at);
    if (align === "nearest") {
      const y = this.yOf(at);
      if (y !== null && y >= margin && y + height <= this.viewport) return;
      align = y !== null && y < margin ? "top" : y !== null ? "bottom" : "center";
    }
    const above = align === "top" ? margin : align === "bottom" ? this.viewport - height : Math.floor((this.viewport - height) / 2);
    this.row = at;
    this.offset = 0;
    this.moveBy(-above);
  }

  /**
   * Where a row is in the viewport; nothing where it is far away.
   * @param {number} row
   */
  yOf(row) {
    if (!this.heightOf) return (row - this.row) * this.rowHeight - this.offset;
    if (Math.abs(row - this.row) > 500) return null;
    let y = -this.offset;
    for (let at = this.row; at < row; at++) y += this.height(at);
    for (let at = this.row; at > row; at--) y -= this.height(at - 1);
    return y;
  }

  /**
   * The row at a height of the viewport.
   * @param {number} y
   */
  rowAt(y) {
    if (!this.heightOf) return Math.max(0, Math.min(this.rows - 1, Math.floor((this.row * this.rowHeight + this.offset + y) / this.rowHeight)));
    let top = -this.offset;
    let row = this.row;
    while (row < this.rows - 1 && top + this.height(row) <= y) top += this.height(row++);
    while (row > 0 && top > y) top -= this.height(--row);
    return row;
  }
}
