import "./dom.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { h, isSafeAddress } from "../../../Controller/Web/src/core/h.js";
import { flush, root, signal } from "../../../Controller/Web/src/core/signal.js";

test("addresses that run something are refused, however they are written", () => {
  for (const bad of ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "\u0001javascript:x", "data:text/html,x", "vbscript:x",
    "file:///etc/passwd", "blob:http://x/1", "java\u00a0script:x"]) {
    assert.equal(isSafeAddress(bad), false, JSON.stringify(bad));
  }
  for (const good of ["/runs?q=a:b", "https://example.org/a", "HTTP://example.org", "#x", "?a=javascript:1", "a/b:c", "//example.org", ""]) {
    assert.equal(isSafeAddress(good), true, JSON.stringify(good));
  }
});

test("a refused address leaves no attribute", () => {
  const link = h("a", { href: "javascript:alert(1)" }, "x");
  assert.equal(link.getAttribute("href"), null);
  assert.equal(link.getAttribute("data-refused"), "href");
});

test("listeners and looks in attributes, and tags that load something, are refused", () => {
  for (const name of ["onclick", "ONLOAD", "style", "innerHTML", "srcdoc"]) assert.throws(() => h("div", { [name]: "x" }), TypeError);
  for (const tag of ["script", "iframe", "style", "object", "base"]) assert.throws(() => h(tag), TypeError);
  assert.throws(() => h("div", { vars: { color: "red" } }), TypeError);
});

test("text stays text", () => {
  const element = h("p", null, "<img src=x onerror=alert(1)>", 7, null, false, ["a", ["b"]]);
  assert.equal(element.textContent, "<img src=x onerror=alert(1)>7ab");
  assert.ok(element.childNodes.every((node) => node.nodeType === 3));
});

test("what is watched changes in place", () => {
  root(() => {
    const name = signal("one"), on = signal(true);
    const element = h("p", { title: name, class: { big: on, small: () => !on.value }, aria: { expanded: on } }, name, "!", () => (on.value ? h("b", null, "x") : null));
    assert.equal(element.textContent, "one!x");
    const node = element.childNodes[0];
    name.value = "two";
    on.value = false;
    flush();
    assert.equal(element.textContent, "two!");
    assert.ok(element.childNodes.includes(node));
    assert.equal(element.getAttribute("title"), "two");
    assert.equal(element.getAttribute("class"), "small");
    assert.equal(element.getAttribute("aria-expanded"), "false");
  });
});
