import assert from "node:assert/strict";
import { test } from "node:test";

import { slug } from "../lib/slug.js";

test("joins words", () => assert.equal(slug("Hello, World!"), "hello-world"));
test("drops accents", () => assert.equal(slug("Über Café"), "uber-cafe"));
test("has no dash at its ends", () => assert.equal(slug("  --a--  "), "a"));
test("may be empty", () => assert.equal(slug("..."), ""));
