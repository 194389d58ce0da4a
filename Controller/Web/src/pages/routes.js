// Addresses and their pages. They come together, so that going from one to another asks for nothing but its data; what is large, the log
// viewer, the graph and the editor, comes where it is needed.

import { page as agent } from "./agent.js";
import { page as agents } from "./agents.js";
import { page as dashboard } from "./dashboard.js";
import { page as history } from "./history.js";
import { page as me } from "./me.js";
import { page as pipeline } from "./pipeline.js";
import { page as pipelineSettings } from "./pipeline-settings.js";
import { page as pipelines } from "./pipelines.js";
import { page as project } from "./project.js";
import { page as projects } from "./projects.js";
import { page as queue } from "./queue.js";
import { page as run } from "./run.js";
import { page as runs } from "./runs.js";

/** @param {import("../core/router.js").Page} page */
const here = (page) => () => Promise.resolve({ page });

/** @type {import("../core/router.js").Route[]} */
export const routes = [
  { pattern: "/", load: here(dashboard) },
  { pattern: "/runs", load: here(runs) },
  { pattern: "/pipelines", load: here(pipelines) },
  { pattern: "/projects", load: here(projects) },
  { pattern: "/agents", load: here(agents) },
  { pattern: "/agents/{id}", load: here(agent) },
  { pattern: "/queue", load: here(queue) },
  { pattern: "/me", load: here(me) },
  { pattern: "/me/{tab}", load: here(me) },
  { pattern: "/p/{project}", load: here(project) },
  { pattern: "/p/{project}/-/{tab}", load: here(project) },
  { pattern: "/p/{project}/{pipeline}", load: here(pipeline) },
  { pattern: "/p/{project}/{pipeline}/edit", load: () => import("./editor.js") },
  { pattern: "/p/{project}/{pipeline}/history", load: here(history) },
  { pattern: "/p/{project}/{pipeline}/settings", load: here(pipelineSettings) },
  { pattern: "/p/{project}/{pipeline}/runs/{number}", load: here(run) },
];
