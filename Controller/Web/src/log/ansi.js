// Terminal output as text with classes. A state machine over ECMA-48 control sequences: colours and styles become class names,
// hyperlinks (OSC 8) become addresses, everything else that is not text is left out. The result is data, never markup.
//
// Controller/Logs/VisibleText.swift does the same to bytes for the search; Tests/Browser/unit/visible-text.json holds the two together.

/**
 * What colours and styles are in force.
 * @typedef {object} Sgr
 * @property {number} fg Palette index 0 to 255, or -1 for the default colour.
 * @property {number} bg The same for the background.
 * @property {number} flags Bits of {@link FLAG}.
 * @property {string | null} href Where a hyperlink leads.
 */

/**
 * A piece of text of one look.
 * @typedef {object} Span
 * @property {string} text
 * @property {string} cls Class names, empty for plain text.
 * @property {string | null} href An http or https address.
 */

/**
 * @typedef {object} Parsed
 * @property {string} text What is seen, without any control.
 * @property {Span[] | null} spans Nothing where the whole text is plain.
 * @property {Sgr} state What is in force behind it.
 */

export const FLAG = { bold: 1, dim: 2, italic: 4, underline: 8, inverse: 16, hidden: 32, strike: 64, overline: 128 };

/** @type {Sgr} */
export const PLAIN = Object.freeze({ fg: -1, bg: -1, flags: 0, href: null });

const NAMES = /** @type {[number, string][]} */ ([
  [FLAG.bold, "a-b"], [FLAG.dim, "a-d"], [FLAG.italic, "a-i"], [FLAG.underline, "a-u"], [FLAG.hidden, "a-h"],
  [FLAG.strike, "a-s"], [FLAG.overline, "a-o"],
]);

// Anything that needs more than to be shown as it is. A tab is text.
// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/;

/** @param {Sgr} a @param {Sgr} b */
export function sameLook(a, b) {
  return a.fg === b.fg && a.bg === b.bg && a.flags === b.flags && a.href === b.href;
}

/**
 * Class names of a look.
 * @param {Sgr} state
 */
export function classes(state) {
  let { fg, bg } = state;
  if (state.flags & FLAG.inverse) {
    [fg, bg] = [bg, fg];
    // The default colours, exchanged.
    if (fg < 0 && bg < 0) return join(["a-v"], state);
    if (bg < 0) bg = -2;
  }
  const names = [];
  if (bg === -2) names.push("a-v");
  // On a colour the text's own would often not be readable: the background decides it.
  else if (bg >= 0) names.push("g" + bg);
  else if (fg >= 0) names.push("f" + fg);
  return join(names, state);
}

/** @param {string[]} names @param {Sgr} state */
function join(names, state) {
  for (const [bit, name] of NAMES) if (state.flags & bit) names.push(name);
  return names.join(" ");
}

/**
 * Reads one line.
 * @param {string} line Without its line feed.
 * @param {Sgr} [start] What is in force at its beginning.
 * @returns {Parsed}
 */
export function parse(line, start = PLAIN) {
  if (!CONTROL.test(line)) {
    const cls = start === PLAIN ? "" : classes(start);
    if (cls === "" && !start.href) return { text: line, spans: null, state: start };
    return { text: line, spans: line === "" ? null : [{ text: line, cls, href: start.href }], state: start };
  }
  return new Reader(line, start).read();
}

/**
 * What is seen of a line, without looks.
 * @param {string} line
 */
export function visible(line) {
  return CONTROL.test(line) ? new Reader(line, PLAIN).read().text : line;
}

class Reader {
  /** @param {string} line @param {Sgr} start */
  constructor(line, start) {
    this.line = line;
    this.state = start;
    /** @type {Span[]} */
    this.spans = [];
    this.at = 0;
    // A carriage return was met: the next text begins the line anew.
    this.returned = false;
  }

  /** @returns {Parsed} */
  read() {
    const { line } = this;
    let from = 0;
    while (this.at < line.length) {
      const code = line.charCodeAt(this.at);
      if ((code >= 0x20 && code < 0x7f) || code > 0x9f || code === 9) {
        this.at++;
        continue;
      }
      this.put(from, this.at);
      if (code === 0x1b) this.escape();
      else {
        if (code === 0x0d) this.returned = true;
        this.at++;
      }
      from = this.at;
    }
    this.put(from, this.at);
    const text = this.spans.map((span) => span.text).join("");
    const isPlain = this.spans.every((span) => span.cls === "" && !span.href);
    return { text, spans: isPlain ? null : this.spans, state: this.state };
  }

  /** @param {number} from @param {number} to */
  put(from, to) {
    if (to <= from) return;
    if (this.returned) {
      this.spans = [];
      this.returned = false;
    }
    const cls = classes(this.state);
    const text = this.line.slice(from, to);
    const last = this.spans[this.spans.length - 1];
    if (last && last.cls === cls && last.href === this.state.href) last.text += text;
    else this.spans.push({ text, cls, href: this.state.href });
  }

  // `at` is at an escape character; leaves it behind the sequence.
  escape() {
    const { line } = this;
    const next = line.charCodeAt(this.at + 1);
    if (next === 0x5b) return this.csi();
    // OSC, DCS, SOS, PM, APC: texts that end with BEL or ST.
    if (next === 0x5d || next === 0x50 || next === 0x58 || next === 0x5e || next === 0x5f) return this.string(next === 0x5d);
    let at = this.at + 1;
    while (at < line.length && line.charCodeAt(at) >= 0x20 && line.charCodeAt(at) <= 0x2f) at++;
    const final = line.charCodeAt(at);
    if (final >= 0x30 && final <= 0x7e) {
      if (final === 0x63 && at === this.at + 1) this.state = PLAIN;
      at++;
    }
    this.at = at;
  }

  csi() {
    const { line } = this;
    const from = this.at + 2;
    let at = from;
    while (at < line.length && line.charCodeAt(at) >= 0x30 && line.charCodeAt(at) <= 0x3f) at++;
    const parameters = line.slice(from, at);
    const middle = at;
    while (at < line.length && line.charCodeAt(at) >= 0x20 && line.charCodeAt(at) <= 0x2f) at++;
    const final = line.charCodeAt(at);
    if (final >= 0x40 && final <= 0x7e) {
      if (final === 0x6d && at === middle) this.state = applySgr(this.state, parameters);
      at++;
    }
    this.at = at;
  }

  /** @param {boolean} isOsc */
  string(isOsc) {
    const { line } = this;
    let at = this.at + 2;
    let behind = -1;
    for (; at < line.length; at++) {
      const code = line.charCodeAt(at);
      if (code === 0x07 || code === 0x9c) behind = at + 1;
      else if (code === 0x1b && line.charCodeAt(at + 1) === 0x5c) behind = at + 2;
      else continue;
      break;
    }
    if (behind < 0) {
      // Without its end it would hide the rest of the line.
      this.at += 2;
      return;
    }
    if (isOsc) {
      const found = /^8;[^;]*;([^]*)$/.exec(line.slice(this.at + 2, at));
      if (found) this.state = { ...this.state, href: address(/** @type {string} */ (found[1])) };
    }
    this.at = behind;
  }
}

/**
 * An address that may be followed; nothing for any other scheme.
 * @param {string} text
 */
export function address(text) {
  if (!/^https?:\/\//i.test(text) || text.length > 2048) return null;
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * A look after an SGR sequence (ECMA-48, 8.3.117, and what terminals added).
 * @param {Sgr} state
 * @param {string} parameters Such as `1;38;5;208`.
 * @returns {Sgr}
 */
export function applySgr(state, parameters) {
  const next = { ...state };
  // Private sequences such as `ESC [ > 4 m` are no looks.
  if (/[<=>?]/.test(parameters)) return state;
  const list = parameters.split(";");
  for (let i = 0; i < list.length && i < 64; i++) {
    const sub = (list[i] ?? "").split(":");
    const code = sub[0] === "" ? 0 : Number(sub[0]);
    if (code === 38 || code === 48) {
      const [color, used] = sub.length > 1 ? [colonColor(sub), 0] : listColor(list, i);
      i += used;
      if (color !== null) next[code === 38 ? "fg" : "bg"] = color;
    } else if (code === 4 && sub.length > 1) {
      next.flags = sub[1] === "0" ? next.flags & ~FLAG.underline : next.flags | FLAG.underline;
    } else if (code === 58 && sub.length === 1) {
      // The underline's colour, which is not shown.
      i += listColor(list, i)[1];
    } else single(next, code);
  }
  if (next.fg < 0 && next.bg < 0 && next.flags === 0 && !next.href) return PLAIN;
  return next;
}

/** @type {Record<number, [set: number, clear: number]>} */
const STYLES = {
  1: [FLAG.bold, 0], 2: [FLAG.dim, 0], 3: [FLAG.italic, 0], 4: [FLAG.underline, 0], 7: [FLAG.inverse, 0], 8: [FLAG.hidden, 0],
  9: [FLAG.strike, 0], 21: [FLAG.underline, 0], 22: [0, FLAG.bold | FLAG.dim], 23: [0, FLAG.italic], 24: [0, FLAG.underline],
  27: [0, FLAG.inverse], 28: [0, FLAG.hidden], 29: [0, FLAG.strike], 53: [FLAG.overline, 0], 55: [0, FLAG.overline],
};

/** @param {{fg: number, bg: number, flags: number}} next @param {number} code */
function single(next, code) {
  const style = STYLES[code];
  if (style) next.flags = (next.flags & ~style[1]) | style[0];
  else if (code === 0) Object.assign(next, { fg: -1, bg: -1, flags: 0 });
  else if (code >= 30 && code <= 37) next.fg = code - 30;
  else if (code === 39) next.fg = -1;
  else if (code >= 40 && code <= 47) next.bg = code - 40;
  else if (code === 49) next.bg = -1;
  else if (code >= 90 && code <= 97) next.fg = code - 82;
  else if (code >= 100 && code <= 107) next.bg = code - 92;
}

/** @param {string[]} list @param {number} at @returns {[number | null, number]} The colour and how many parameters it took. */
function listColor(list, at) {
  if (list[at + 1] === "5") return [paletteIndex(list[at + 2]), 2];
  if (list[at + 1] === "2") return [nearest(list[at + 2], list[at + 3], list[at + 4]), 4];
  return [null, list.length - at - 1];
}

/**
 * `38:5:n`, `38:2:r:g:b` or `38:2::r:g:b`.
 * @param {string[]} sub
 */
function colonColor(sub) {
  if (sub[1] === "5") return paletteIndex(sub[2]);
  if (sub[1] === "2") return sub.length > 5 ? nearest(sub[3], sub[4], sub[5]) : nearest(sub[2], sub[3], sub[4]);
  return null;
}

/** @param {string | undefined} text @returns {number | null} A number from 0 to 255. */
function byte(text) {
  if (text === undefined || !/^\d{0,3}$/.test(text)) return null;
  const value = text === "" ? 0 : Number(text);
  return value <= 255 ? value : null;
}

/** @param {string | undefined} text */
const paletteIndex = (text) => byte(text);

const STEPS = [0, 95, 135, 175, 215, 255];

/**
 * The entry of the 256-colour palette that is nearest to a colour.
 * @param {string | undefined} red @param {string | undefined} green @param {string | undefined} blue
 */
function nearest(red, green, blue) {
  const rgb = [byte(red), byte(green), byte(blue)];
  if (rgb.some((value) => value === null)) return null;
  const [r, g, b] = /** @type {number[]} */ (rgb);
  return nearestIndex(/** @type {number} */ (r), /** @type {number} */ (g), /** @type {number} */ (b));
}

/** @param {number} r @param {number} g @param {number} b */
export function nearestIndex(r, g, b) {
  const step = (/** @type {number} */ v) => (v < 48 ? 0 : v < 115 ? 1 : Math.min(5, Math.floor((v - 35) / 40)));
  const [i, j, k] = [step(r), step(g), step(b)];
  const grey = Math.max(0, Math.min(23, Math.round(((r + g + b) / 3 - 8) / 10)));
  const far = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ z) => (r - x) ** 2 + (g - y) ** 2 + (b - z) ** 2;
  const cube = far(STEPS[i] ?? 0, STEPS[j] ?? 0, STEPS[k] ?? 0);
  const level = 8 + 10 * grey;
  return far(level, level, level) < cube ? 232 + grey : 16 + 36 * i + 6 * j + k;
}

/**
 * The colour of a palette entry from 16 on.
 * @param {number} index @returns {[number, number, number]}
 */
export function paletteColor(index) {
  if (index >= 232) {
    const level = 8 + 10 * (index - 232);
    return [level, level, level];
  }
  const n = index - 16;
  return [STEPS[Math.floor(n / 36)] ?? 0, STEPS[Math.floor(n / 6) % 6] ?? 0, STEPS[n % 6] ?? 0];
}

/**
 * A look as SGR parameters, the way the server writes it.
 * @param {string | null | undefined} text
 */
export function fromSgr(text) {
  return text ? applySgr(PLAIN, text) : PLAIN;
}
