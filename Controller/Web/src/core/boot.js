// What the server wrote into the page: who is here, what the address names, and the answers that the page is made of.

/**
 * @typedef {{ id: number, username: string, is_administrator: boolean, scopes: string[], csrf_token: string | null }} User
 * @typedef {{ title: string, section: string, version: string, theme: string, density: string, editor: string | null,
 *   place: Record<string, any>, user: User | null, data: Record<string, any> }} Boot
 */

/** @returns {Boot} */
function read() {
  const nothing = { title: "", section: "", version: "", theme: "auto", density: "comfortable", editor: null, place: {}, user: null, data: {} };
  if (typeof document === "undefined") return nothing;
  const element = document.getElementById("boot");
  try {
    return element?.textContent ? { ...nothing, ...JSON.parse(element.textContent) } : nothing;
  } catch {
    return nothing;
  }
}

export const boot = read();

/** @type {Map<string, any>} */
const primed = new Map(Object.entries(boot.data));

/**
 * Keeps answers that came with a page until they are asked for.
 * @param {Record<string, any>} data
 */
export function prime(data) {
  for (const [path, value] of Object.entries(data)) primed.set(path, value);
}

/** What was not asked for is of no use to a later page. */
export const forgetPrimed = () => primed.clear();

/**
 * The answer of a GET that came with the page; it is given once.
 * @param {string} path
 * @returns {any}
 */
export function takeBootData(path) {
  const value = primed.get(path);
  primed.delete(path);
  return value;
}

/** @param {string} path Whether its answer came with the page. */
export const isPrimed = (path) => primed.has(path);

/** @param {string} scope */
export const hasScope = (scope) => boot.user?.scopes.includes(scope) ?? false;
