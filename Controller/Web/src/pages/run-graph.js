// The run's graph and timeline, in the page.

import { h } from "../core/h.js";
import { computed, onCleanup, Scope } from "../core/signal.js";
import { toastError } from "../ui/toast.js";

/** Comes beside the page, not before it. */
export const graphModule = () => import("../graph/mount.js");

/**
 * @typedef {{ graph: import("../core/signal.js").ReadSignal<any>, selected: import("../core/signal.js").ReadSignal<{ key: string } | undefined>,
 *   select: (key: string) => void, view: import("../core/signal.js").ReadSignal<string> }} Parts
 */

/** @param {Parts} parts */
export function runGraph({ graph, selected, select, view }) {
  const host = h("div", { class: "graph-host" });
  const scope = new Scope(null);
  onCleanup(() => scope.dispose());
  graphModule().then(({ mountGraph }) => {
    if (scope.isDone) return;
    scope.run(() => {
      const mounted = mountGraph(host, {
        graph,
        selection: computed(() => selected.value?.key ?? ""),
        onSelect: select,
        view: computed(() => (view.value === "timeline" ? "timeline" : "graph")),
        hrefOf: (key) => `?${new URLSearchParams({ step: key })}`,
      });
      onCleanup(() => mounted.dispose());
    });
  }, toastError);
  return host;
}
