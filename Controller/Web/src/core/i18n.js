// The one catalogue of what the page says. English is the key: what has no entry is shown as it stands in the source.

/** @type {Map<string, string>} */
const catalogue = new Map();

/** @param {Record<string, string>} entries English to another language */
export function translate(entries) {
  for (const [key, value] of Object.entries(entries)) catalogue.set(key, value);
}

/**
 * @param {string} text with `{name}` for what is put in
 * @param {Record<string, string | number>} [values]
 */
export function t(text, values) {
  const found = catalogue.get(text) ?? text;
  if (!values) return found;
  return found.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

/**
 * @param {number} n
 * @param {string} one for exactly one
 * @param {string} many with `{n}`
 */
export function plural(n, one, many) {
  return t(n === 1 ? one : many, { n: String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",") });
}
