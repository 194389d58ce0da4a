// Projects and pipelines by name and id: links are made of names, answers of ids.

import { get } from "../core/api.js";
import { boot, hasScope } from "../core/boot.js";
import { t } from "../core/i18n.js";
import { signal } from "../core/signal.js";

/**
 * @typedef {{ id: number, name: string, description: string, state: string, role: string | null, version: number, created_at: string, updated_at: string }} Project
 * @typedef {{ id: number, project_id: number, name: string, definition: string, repository: any, enabled: boolean, version: number, created_at: string, updated_at: string }} Pipeline
 */

export const directory = signal({ projects: /** @type {Project[]} */ ([]), pipelines: /** @type {Pipeline[]} */ ([]), isLoaded: false });

const PAGES_MAX = 10;
/** @type {Promise<void> | null} */
let projects = null;
/** @type {Promise<void> | null} */
let pipelines = null;

/** @param {string} path */
async function all(path) {
  const items = [];
  for (let page = 1; page <= PAGES_MAX; page++) {
    const answer = await get(`${path}?per_page=100${page > 1 ? `&page=${page}` : ""}`);
    items.push(...answer.items);
    if (items.length >= answer.total) break;
  }
  return items;
}

/** The projects, once: links are made of their names. Again with `isFresh`, after one was made or renamed. */
export function loadProjects(isFresh = false) {
  if (isFresh) projects = null;
  projects ??= all("/api/v1/projects").then((items) => {
    directory.value = { ...directory.value, projects: items };
  }).catch((error) => {
    projects = null;
    throw error;
  });
  return projects;
}

/** The pipelines too, with all their definitions: for pages that list them. */
export function loadDirectory(isFresh = false) {
  if (isFresh) pipelines = null;
  pipelines ??= all("/api/v1/pipelines").then((items) => {
    directory.value = { ...directory.value, pipelines: items, isLoaded: true };
  }).catch((error) => {
    pipelines = null;
    throw error;
  });
  return Promise.all([loadProjects(isFresh), pipelines]).then(() => {});
}

/** @param {number} id */
export const projectOf = (id) => directory.value.projects.find((one) => one.id === id);

/** @param {{ id: number, project_id: number, pipeline_name: string, number: number }} run */
export function runAddress(run) {
  const project = projectOf(run.project_id);
  // The older address leads there too.
  if (!project) return `/executions/${run.id}`;
  return `/p/${encodeURIComponent(project.name)}/${encodeURIComponent(run.pipeline_name)}/runs/${run.number}`;
}

/** @param {{ project_id: number, name: string }} pipeline */
export function pipelineAddress(pipeline) {
  return `/p/${encodeURIComponent(projectOf(pipeline.project_id)?.name ?? "")}/${encodeURIComponent(pipeline.name)}`;
}

const roles = ["viewer", "developer", "maintainer", "owner"];

/**
 * Why one may not do something in a project; empty where one may.
 * @param {number | undefined} projectId
 * @param {"viewer" | "developer" | "maintainer" | "owner"} role the smallest that may
 * @param {string} [scope]
 */
export function whyNot(projectId, role, scope = role === "developer" ? "run" : "write") {
  if (!hasScope(scope)) return t("You may not do this.");
  const project = projectId === undefined ? undefined : projectOf(projectId);
  if (!project) return "";
  if (project.state === "archived") return t("The project is archived.");
  const own = boot.user?.is_administrator ? "owner" : project.role ?? "viewer";
  return roles.indexOf(own) >= roles.indexOf(role) ? "" : t("This needs the role {role}; you are {own}.", { role, own });
}
