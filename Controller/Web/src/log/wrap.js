// How many rows a wrapped line takes. With `word-break: break-all` and `white-space: break-spaces` in a font of one width that is
// arithmetic, so nothing has to be laid out to know where a line is.

/** Characters that take two columns, roughly East Asian Wide and emoji (UAX 11). */
const WIDE = new RegExp(
  "[\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\u33ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\ua000-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7a3" +
    "\\uf900-\\ufaff\\ufe30-\\ufe6f\\uff00-\\uff60\\uffe0-\\uffe6\\u{1f300}-\\u{1f64f}\\u{1f900}-\\u{1f9ff}\\u{20000}-\\u{3fffd}]",
  "u",
);
const ASCII = /^[\x20-\x7e]*$/;
const MARK = /\p{M}|\u200d|\ufe0f/u;
const TAB = 8;

/**
 * Rows of a line.
 * @param {string} text What is seen of it.
 * @param {number} columns Of the log, at least 1.
 */
export function rowsOf(text, columns) {
  if (ASCII.test(text)) return Math.max(1, Math.ceil(text.length / columns));
  let rows = 1;
  let column = 0;
  for (const character of text) {
    if (MARK.test(character)) continue;
    const width = character === "\t" ? TAB - (column % TAB) : WIDE.test(character) ? 2 : 1;
    if (column + width > columns) {
      rows++;
      column = 0;
      column += character === "\t" ? Math.min(TAB, columns) : width;
    } else column += width;
  }
  return rows;
}
