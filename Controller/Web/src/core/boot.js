// What the server wrote into the page: who is here, what may be done, and the first page's data.

/**
 * @typedef {{ id: number, username: string, is_administrator: boolean, scopes: string[], csrf_token: string | null }} User
 * @typedef {{ user: User | null, version: string, now: string, theme: string, path: string, status: number,
 *   data?: Record<string, any>, assets?: string }} Boot
 */

/** @returns {Boot} */
function read() {
  const nothing = { user: null, version: "", now: "", theme: "auto", path: "", status: 200 };
  if (typeof document === "undefined") return nothing;
  const element = document.getElementById("boot");
  try {
    return element?.textContent ? { ...nothing, ...JSON.parse(element.textContent) } : nothing;
  } catch {
    return nothing;
  }
}

export const boot = read();

/**
 * The answer of a GET that the server has put into the page; it is given once.
 * @param {string} path
 * @returns {any}
 */
export function takeBootData(path) {
  const data = boot.data;
  if (!data || !(path in data)) return undefined;
  const value = data[path];
  delete data[path];
  return value;
}

/** @param {string} scope */
export const hasScope = (scope) => boot.user?.scopes.includes(scope) ?? false;
