// Addresses and their pages; each is loaded when it is first asked for.

/** @type {import("../core/router.js").Route[]} */
export const routes = [
  { pattern: "/", load: () => import("./dashboard.js") },
  { pattern: "/runs", load: () => import("./runs.js") },
  { pattern: "/pipelines", load: () => import("./pipelines.js") },
  { pattern: "/projects", load: () => import("./projects.js") },
  { pattern: "/agents", load: () => import("./agents.js") },
  { pattern: "/agents/{id}", load: () => import("./agent.js") },
  { pattern: "/queue", load: () => import("./queue.js") },
  { pattern: "/me", load: () => import("./me.js") },
  { pattern: "/me/{tab}", load: () => import("./me.js") },
  { pattern: "/p/{project}", load: () => import("./project.js") },
  { pattern: "/p/{project}/-/{tab}", load: () => import("./project.js") },
  { pattern: "/p/{project}/{pipeline}", load: () => import("./pipeline.js") },
  { pattern: "/p/{project}/{pipeline}/edit", load: () => import("./editor.js") },
  { pattern: "/p/{project}/{pipeline}/history", load: () => import("./history.js") },
  { pattern: "/p/{project}/{pipeline}/settings", load: () => import("./pipeline-settings.js") },
  { pattern: "/p/{project}/{pipeline}/runs/{number}", load: () => import("./run.js") },
];
