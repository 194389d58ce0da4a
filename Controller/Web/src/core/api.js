// Calls of the controller's interface.

import { boot, takeBootData } from "./boot.js";

/** An answer that is an error, as `application/problem+json` says it; status 0 where none came. */
export class ApiError extends Error {
  /** @param {number} status @param {{ title?: string, detail?: string, errors?: { path: string, message: string }[], request_id?: string, retryAfter?: number | null }} problem */
  constructor(status, problem) {
    super(problem.detail || problem.title || `The controller answered with ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.title = problem.title ?? "";
    /** @type {{ path: string, message: string }[]} */
    this.errors = problem.errors ?? [];
    this.requestId = problem.request_id ?? "";
    /** Seconds. */
    this.retryAfter = problem.retryAfter ?? null;
  }
  get isOffline() {
    return this.status === 0;
  }
}

/** @typedef {{ signal?: AbortSignal, headers?: Record<string, string>, timeoutMs?: number }} Options */

const TIMEOUT_MS = 30_000;
let csrf = boot.user?.csrf_token ?? "";

/**
 * Called when the session has ended.
 * @type {() => void}
 */
let onSignedOut = () => {};
/** @param {() => void} handler */
export function whenSignedOut(handler) {
  onSignedOut = handler;
}

/** 128 random bits; works on plain HTTP too, where `crypto.randomUUID` does not exist. */
export function randomKey() {
  const words = crypto.getRandomValues(new Uint32Array(4));
  return Array.from(words, (word) => word.toString(16).padStart(8, "0")).join("");
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {Options} [options]
 * @returns {Promise<Response>}
 */
export async function send(method, path, body, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json", ...options.headers };
  if (method !== "GET") headers["X-CSRF-Token"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), options.timeoutMs ?? TIMEOUT_MS);
  const cancel = () => limit.abort();
  options.signal?.addEventListener("abort", cancel);
  if (options.signal?.aborted) cancel();
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: limit.signal,
      credentials: "same-origin",
      redirect: "error",
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, { title: "No answer", detail: "The controller does not answer. What you see may be out of date." });
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", cancel);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401) onSignedOut();
  const retry = Number(response.headers.get("Retry-After"));
  throw new ApiError(response.status, {
    request_id: response.headers.get("X-Request-ID") ?? undefined,
    ...problem,
    retryAfter: Number.isFinite(retry) && retry > 0 ? retry : null,
  });
}

/**
 * A GET's JSON. What the server put into the page is not asked for again. Reads are tried once more where no answer came.
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function get(path, options = {}) {
  const known = takeBootData(path);
  if (known !== undefined) return known;
  try {
    return await (await send("GET", path, undefined, options)).json();
  } catch (error) {
    if (!(error instanceof ApiError) || !error.isOffline || options.signal?.aborted) throw error;
    await new Promise((resolve) => setTimeout(resolve, 400));
    return (await send("GET", path, undefined, options)).json();
  }
}

/** @param {Response} response */
async function answer(response) {
  if (response.status === 204) return null;
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/**
 * A POST. It carries a key, so that sending it again makes nothing twice.
 * @param {string} path @param {unknown} [body] @param {Options} [options] @returns {Promise<any>}
 */
export async function post(path, body = {}, options = {}) {
  const headers = { "Idempotency-Key": randomKey(), ...options.headers };
  return answer(await send("POST", path, body, { ...options, headers }));
}

/** @param {string} path @param {unknown} body @param {Options} [options] @returns {Promise<any>} */
export const patch = async (path, body, options) => answer(await send("PATCH", path, body, options));
/** @param {string} path @param {unknown} body @param {Options} [options] @returns {Promise<any>} */
export const put = async (path, body, options) => answer(await send("PUT", path, body, options));
/** @param {string} path @param {Options} [options] @returns {Promise<any>} */
export const del = async (path, options) => answer(await send("DELETE", path, undefined, options));

/** @param {string} token */
export function useForgeryToken(token) {
  csrf = token;
}

/** @param {Record<string, string | number | boolean | null | undefined>} values */
export function queryText(values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}
