// What can be written at a place of a pipeline's file: keys and words of the language's JSON Schema, and the names of jobs and steps.

import { entriesOf, placeAt } from "./yaml-place.js";

/**
 * @typedef {Record<string, any>} Schema
 * @typedef {{ label: string, text: string, note: string }} Choice `text` is written; `note` says what it is.
 * @typedef {{ from: number, to: number, choices: Choice[] }} Completion columns of the line that are replaced
 */

const NEEDS = ["needs", "depends_on"];
const CHOICES_MAX = 60;
const DEPTH_MAX = 24;

/**
 * The schemas that stand behind references and alternatives.
 * @param {Schema} root @param {any} schema @param {number} [depth] @returns {Schema[]}
 */
function expand(root, schema, depth = 0) {
  if (!schema || typeof schema !== "object" || depth > DEPTH_MAX) return [];
  const all = [schema];
  if (typeof schema.$ref === "string") {
    /** @type {any} */ let target = root;
    for (const part of schema.$ref.replace(/^#\//, "").split("/")) target = target?.[part];
    all.push(...expand(root, target, depth + 1));
  }
  for (const word of ["allOf", "anyOf", "oneOf"]) for (const one of schema[word] ?? []) all.push(...expand(root, one, depth + 1));
  return all;
}

/**
 * The schemas of what stands at a path.
 * @param {Schema} root @param {import("./yaml-place.js").Path} path
 */
export function schemasAt(root, path) {
  let found = expand(root, root);
  for (const part of path) {
    const next = found.flatMap((one) => {
      if (typeof part === "number") return [one.items];
      const own = one.properties?.[part];
      return own !== undefined ? [own] : typeof one.additionalProperties === "object" ? [one.additionalProperties] : [];
    });
    found = [...new Set(next.flatMap((one) => expand(root, one)))];
  }
  return found;
}

/** @param {Schema} root @param {any} schema whether only a map or a list can stand there */
function isNested(root, schema) {
  const types = expand(root, schema).flatMap((one) => one.type ?? (one.enum || one.const !== undefined ? ["word"] : []));
  return types.length > 0 && types.every((type) => type === "object" || type === "array");
}

/** @param {Schema} root @param {Schema[]} schemas @param {Set<string>} taken @param {boolean} isFlow @returns {Choice[]} */
function keys(root, schemas, taken, isFlow) {
  /** @type {Map<string, Choice>} */
  const found = new Map();
  for (const one of schemas) {
    for (const [name, schema] of Object.entries(one.properties ?? {})) {
      if (taken.has(name) || found.has(name)) continue;
      const note = /** @type {any} */ (schema).description ?? "";
      found.set(name, { label: name, text: !isFlow && isNested(root, schema) ? `${name}:` : `${name}: `, note });
    }
  }
  const all = [...found.values()];
  // Another word for the same comes behind.
  const isOther = (/** @type {Choice} */ one) => one.note.startsWith("The same as ");
  return [...all.filter((one) => !isOther(one)), ...all.filter(isOther)];
}

/** @param {Schema[]} schemas @returns {Choice[]} */
function words(schemas) {
  const all = schemas.flatMap((one) => [...(one.enum ?? []), ...(one.const !== undefined ? [one.const] : []), ...(one.type === "boolean" ? [true, false] : [])]);
  return [...new Set(all.map(String))].map((label) => ({ label, text: label, note: "" }));
}

/**
 * What a need can name: other jobs, or other steps of the job.
 * @param {import("./yaml-place.js").Entry[]} entries @param {import("./yaml-place.js").Path} path @returns {Choice[]}
 */
function names(entries, path) {
  const at = path.findIndex((part) => NEEDS.includes(String(part)));
  const inside = path.slice(at + 1).filter((part) => typeof part === "string");
  if (at < 0 || inside.some((part) => !["job", "step", "id"].includes(String(part)))) return [];
  const owner = path.slice(0, at);
  const isStep = typeof owner.at(-1) === "number";
  const self = isStep ? entries.find((one) => one.key === "id" && same(one.path, owner))?.value : owner.at(-1);
  const titles = new Map(entries.filter((one) => one.key === "name" && one.path.length === 2 && one.path[0] === "jobs").map((one) => [one.path[1], one.value]));
  const values = isStep
    ? entries.filter((one) => one.key === "id" && one.path.length === owner.length && same(one.path.slice(0, -1), owner.slice(0, -1))).map((one) => [one.value, ""])
    : entries.filter((one) => one.path.length === 1 && one.path[0] === "jobs").map((one) => [one.key, titles.get(one.key) ?? ""]);
  return values.filter(([name]) => name && name !== self).map(([name = "", note = ""]) => ({ label: name, text: name, note }));
}

/** @param {import("./yaml-place.js").Path} a @param {import("./yaml-place.js").Path} b */
const same = (a, b) => a.length === b.length && a.every((part, at) => part === b[at]);

/**
 * @param {Schema} schema @param {string} text @param {number} line from 0 @param {number} column from 0
 * @returns {Completion | null}
 */
export function complete(schema, text, line, column) {
  const place = placeAt(text, line, column);
  if (!place) return null;
  const rest = (text.split("\n")[line] ?? "").slice(column);
  const tail = /^[\w.-]*/.exec(rest)?.[0] ?? "";
  const entries = entriesOf(text);
  const prefix = place.prefix.replace(/^["']/, "");
  const schemas = schemasAt(schema, place.path);
  /** @type {Choice[]} */ let choices = [];
  if (place.isKey) {
    const taken = new Set(entries.filter((one) => same(one.path, place.path) && one.key !== prefix + tail).map((one) => one.key));
    choices = keys(schema, schemas, taken, place.isFlow);
    // A colon that is there already is not written again.
    if (/^\s*:/.test(rest.slice(tail.length))) choices = choices.map((one) => ({ ...one, text: one.label }));
  }
  if (place.isValue) {
    const given = new Set(entries.filter((one) => one.path.length > 0 && same(one.path, place.path.slice(0, -1))).map((one) => one.value));
    const named = names(entries, place.path).filter((one) => typeof place.path.at(-1) !== "number" || !given.has(one.label));
    choices = [...named, ...words(schemas), ...choices];
  }
  const wanted = prefix.toLowerCase();
  const begins = choices.filter((one) => one.label.toLowerCase().startsWith(wanted));
  const holds = wanted.length > 1 ? choices.filter((one) => !begins.includes(one) && one.label.toLowerCase().includes(wanted)) : [];
  const found = [...begins, ...holds].slice(0, CHOICES_MAX);
  // What is written out already needs no list.
  if (found.length === 0 || (found.length === 1 && found[0]?.label === prefix + tail)) return null;
  return { from: column - place.prefix.length, to: column + tail.length, choices: found };
}
