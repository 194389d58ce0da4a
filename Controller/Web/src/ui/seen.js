// What is asked for only when somebody can see where it goes.

/** @type {WeakMap<Element, () => void>} */
const bodies = new WeakMap();
/** @type {IntersectionObserver | null} */
let observer = null;

/**
 * Runs `body` once, when `element` is first near the window.
 * @param {Element} element @param {() => void} body
 */
export function whenSeen(element, body) {
  observer ??= new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer?.unobserve(target);
      bodies.get(target)?.();
    }
  }, { rootMargin: "200px" });
  bodies.set(element, body);
  observer.observe(element);
}
