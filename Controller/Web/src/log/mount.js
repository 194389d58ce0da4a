// Puts a log viewer into a page.

import "../kit.js";
import { get } from "../core/api.js";
import { effect } from "../core/signal.js";
import { preferences, prefer } from "../core/prefs.js";
import { live } from "../core/ws.js";
import { Source } from "./source.js";
import { formatLines, parseLines } from "./select.js";
import { LogView } from "./view.js";

/**
 * @typedef {object} LogOptions
 * @property {number} runId
 * @property {string} step `job/step`.
 * @property {number} attempt
 * @property {boolean} [isLive] Whether the attempt still runs.
 * @property {boolean} [isFailed]
 * @property {string} [label] What the log is of, for people.
 * @property {string | null} [reader] The address of the log as plain pages.
 * @property {{get: (path: string, options?: any) => Promise<any>}} [api]
 * @property {import("../core/ws.js").Live | null} [socket] Without one, new lines are asked for.
 * @property {URL | Location} [location] Its `L` names lines.
 * @property {(search: string) => void} [replace] Puts another query into the address bar without a new page.
 */

/**
 * @param {HTMLElement} host Must have a height.
 * @param {LogOptions} options
 * @returns {{dispose: () => void, view: LogView, go: (lines: string) => void}}
 */
export function mountLog(host, options) {
  const { runId, step, attempt, api = { get }, socket = live(), isLive = false, isFailed = false } = options;
  const place = options.location ?? window.location;
  const replace = options.replace ?? ((search) => history.replaceState(history.state, "", search));
  const query = (/** @type {[number, number] | null} */ lines) => {
    const search = new URLSearchParams(place.search);
    search.set("step", step);
    search.set("attempt", String(attempt));
    search.delete("L");
    const text = search.toString();
    return `?${text}${lines ? `&L=${formatLines(lines)}` : ""}`;
  };
  const source = new Source({ runId, step, attempt, api });
  const lines = parseLines(new URLSearchParams(place.search).get("L"));
  // The first lines are on their way while the viewer is made.
  source.begin(lines, { isLive, isFailed });
  const view = new LogView(host, {
    source, label: options.label ?? step, isLive, isFailed, socket, lines, reader: options.reader ?? null,
    looks: preferences.peek(), onLooks: (looks) => prefer(looks), hrefOf: (lines) => query(lines),
    onLines: (lines) => replace(query(lines)), keysAreOn: () => preferences.peek().shortcuts,
  });
  const ends = [
    socket ? effect(() => view.setStale(socket.staleSince.value)) : null,
    socket && isLive ? socket.subscribe(`run:${runId}`, {
      event: ({ type, data }) => {
        if (type === "step_update" && `${data.step}/${data.attempt}` === view.source.key && data.finished_at) void view.refresh().catch(() => {});
      },
    }) : null,
  ];
  return {
    view,
    go: (lines) => {
      const wanted = parseLines(lines);
      const same = wanted && view.linked && wanted[0] === view.linked[0] && wanted[1] === view.linked[1];
      if (wanted && same) view.goToLine(wanted[0], "center");
      else if (wanted) view.choose(wanted, true);
    },
    dispose: () => {
      for (const end of ends) end?.();
      view.dispose();
    },
  };
}
