// The colours of the 256-colour palette, moved in lightness until they can be read on each theme's log background. The rules are made
// in the page and only for entries that a log uses: 480 of them would be more bytes than the rest of the viewer's styles.

import { paletteColor } from "./ansi.js";

/** The log's backgrounds (css/log.css has the same). */
export const GROUND = { light: [255, 255, 255], dark: [13, 17, 23] };
/** The 16 named colours, per theme (css/log.css has the same). */
export const NAMED = {
  light: "24292f b31d28 116329 7d4e00 0550ae 8250df 1b6a72 57606a 5f6872 a40e26 1a7f37 8a5b00 0969da 8a3fb8 20707a 3d444d".split(" "),
  dark: "8b949e ff7b72 56d364 e3b341 79c0ff d2a8ff 56d4dd d0d7de 9aa4af ffa198 7ee787 f2cc60 a5d6ff e2c5ff b3f0ff ffffff".split(" "),
};
export const CONTRAST_MIN = 4.5;

/**
 * Relative luminance (WCAG 2.2).
 * @param {readonly number[]} rgb
 */
export function luminance(rgb) {
  const [r, g, b] = rgb.map((value) => {
    const c = value / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}

/** @param {readonly number[]} a @param {readonly number[]} b */
export function contrast(a, b) {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

/**
 * The colour, mixed with black or white no more than it takes to be read on the background.
 * @param {readonly number[]} rgb @param {readonly number[]} ground
 */
export function clamp(rgb, ground) {
  const target = luminance(ground) > 0.18 ? 0 : 255;
  for (let part = 0; part <= 50; part++) {
    const mixed = rgb.map((value) => Math.round(value + ((target - value) * part) / 50));
    if (contrast(mixed, ground) >= CONTRAST_MIN) return mixed;
  }
  return [target, target, target];
}

/** @param {readonly number[]} rgb */
export const hex = (rgb) => "#" + rgb.map((value) => value.toString(16).padStart(2, "0")).join("");

/** @param {string} text */
const fromHex = (text) => [0, 2, 4].map((at) => parseInt(text.slice(at, at + 2), 16));

/** @param {number} index @param {"light" | "dark"} theme */
export function color(index, theme) {
  return index < 16 ? fromHex(/** @type {string} */ (NAMED[theme][index])) : paletteColor(index);
}

/**
 * What is written on a background: black or white, whichever can be read better.
 * @param {readonly number[]} ground
 */
export function onGround(ground) {
  const black = [0, 0, 0];
  return contrast(black, ground) >= contrast([255, 255, 255], ground) ? black : [255, 255, 255];
}

/**
 * The style rule of a class `f<n>` (text) or `g<n>` (background).
 * @param {string} name
 */
export function rule(name) {
  const index = Number(name.slice(1));
  const both = (/** @type {(theme: "light" | "dark") => readonly number[]} */ make) => `light-dark(${hex(make("light"))},${hex(make("dark"))})`;
  if (name[0] === "f") return `.${name}{color:${both((theme) => clamp(color(index, theme), GROUND[theme]))}}`;
  return `.${name}{background:${both((theme) => color(index, theme))};color:${both((theme) => onGround(color(index, theme)))}}`;
}

/** Makes the rules of palette classes as they are met, in a style sheet of its own. */
export class PaletteSheet {
  /** @param {Document} document */
  constructor(document) {
    this.document = document;
    this.sheet = new CSSStyleSheet();
    /** @type {Set<string>} */
    this.known = new Set();
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.sheet];
  }

  /** @param {string} cls Class names of a span. */
  use(cls) {
    for (const name of cls.split(" ")) {
      if (this.known.has(name) || !/^[fg]\d+$/.test(name)) continue;
      this.known.add(name);
      this.sheet.insertRule(rule(name), this.sheet.cssRules.length);
    }
  }

  dispose() {
    this.document.adoptedStyleSheets = this.document.adoptedStyleSheets.filter((sheet) => sheet !== this.sheet);
  }
}
