// What keeps people out, as far as a program can tell: axe-core, and a look at whether the page fits its window.
import { readFileSync } from "node:fs";
import path from "node:path";

const AXE = readFileSync(path.join(process.env.NPM_CLIENTS_DIR, "node_modules/axe-core/axe.min.js"), "utf8");

/** WCAG 2.2 AA, and what the makers of axe-core call good practice. */
const ALL = {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"] },
  rules: { "target-size": { enabled: true } },
};
/** What another theme can change: nothing but colours. */
const COLOURS = { runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] } };

/** Every violation of a document in one line each; none for a page without fault. */
export async function violations(place, { coloursOnly = false } = {}) {
  if (!(await place.evaluate(() => "axe" in window))) await place.evaluate(AXE);
  const found = await place.evaluate(
    (rules) => {
      // A page without a background of its own is painted in the browser's, which axe-core takes for white.
      const root = document.documentElement;
      if (getComputedStyle(root).backgroundColor === "rgba(0, 0, 0, 0)") root.style.backgroundColor = "Canvas";
      return axe
        .run(document, { ...rules, resultTypes: ["violations"] })
        .then(({ violations }) =>
          violations.flatMap(({ id, nodes }) =>
            nodes.map(({ target, failureSummary }) => ({ id, target: target.join(" "), failureSummary })),
          ),
        );
    },
    coloursOnly ? COLOURS : ALL,
  );
  return found.map(({ id, target, failureSummary }) => `${id} at ${target}: ${failureSummary.replaceAll(/\s+/g, " ")}`);
}

/** What sticks out of the window sideways, so that somebody would have to scroll in two directions (WCAG 1.4.10). */
export async function overflow(place) {
  return place.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const isScrolled = (one) => one.parentElement && (getComputedStyle(one.parentElement).overflowX === "auto" || isScrolled(one.parentElement));
    const wide = [...document.body.querySelectorAll("*")].filter(
      (one) => one.getBoundingClientRect().right > clientWidth + 0.5 && one.checkVisibility() && !isScrolled(one),
    );
    const first = wide.slice(0, 3).map((one) => `${one.localName}${one.id ? `#${one.id}` : ""}.${one.className}`);
    return [`the page is ${scrollWidth} px wide in a window of ${clientWidth} px: ${first.join(", ")}`];
  });
}

/**
 * Makes every word four tenths longer, as it may be in another language: each begins again at its end, so that the rules for
 * breaking lines stay those of its own script. What is no word of ours, such as code and what somebody typed, stays.
 */
export async function lengthen(place) {
  await place.evaluate(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      if (text.parentElement.closest("code, pre, script, style, svg, time, option, [data-path]")) continue;
      text.data = text.data.replaceAll(/\p{L}{2,}/gu, (word) => word + Array.from(word).slice(0, Math.ceil([...word].length * 0.4)).join(""));
    }
  });
}

/** What is cut off, or runs out of its box over what stands beside it. */
export async function clipped(place) {
  return place.evaluate(() => {
    const isCut = (one) => {
      const style = getComputedStyle(one);
      if (style.display === "inline" || style.display === "contents" || !one.checkVisibility()) return false;
      if (/auto|scroll/.test(style.overflowX) || one.closest(".visually-hidden, .skip, svg, select")) return false;
      // Whoever says how a text is cut has thought of it.
      if (style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none") return false;
      return one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0;
    };
    const hasText = (one) => [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const found = [...document.body.querySelectorAll("*")].filter((one) => hasText(one) && isCut(one));
    return found.slice(0, 5).map((one) => `cut: ${one.localName}.${one.className} “${one.textContent.trim().slice(0, 60)}” (${one.scrollWidth} in ${one.clientWidth} px)`);
  });
}
