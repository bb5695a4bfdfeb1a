// How somebody presses something: it is brought into the window first, and then it is pressed where it stands.
import { setTimeout as pause } from "node:timers/promises";

import { eventually } from "./eventually.mjs";

/** How many pictures a browser makes until it knows where a frame has moved to, and how long it has for them at most. */
const PICTURES = 3;
const PATIENCE = 1000;

/** How long a press may take until it arrives. */
const WAY = 5000;

/** Presses an element of a page or of a frame in it, and fails where another one is hit. `script` says whether scripts run there. */
export async function press(element, script = true) {
  await bringIntoView(element);
  await standsStill(element);
  const told = script ? await watch(element) : undefined;
  await element.click();
  if (told) await expectHit(told);
}

// Nobody presses what still moves.
async function standsStill(element) {
  let before;
  await eventually("what is to be pressed goes on moving", async () => {
    const box = JSON.stringify(await element.boundingBox());
    const isStill = box === before;
    before = box;
    return isStill;
  });
}

/** Has the page of an element note where a press arrives. */
async function watch(element) {
  return element.evaluateHandle((one) => {
    const told = {};
    const hear = (event) => {
      const path = event.composedPath();
      const isMeant = path.includes(one) || path.some((node) => node instanceof HTMLLabelElement && node.control === one);
      told.hit = isMeant ? "it" : path[0].outerHTML?.slice(0, 200) ?? "the page";
    };
    window.addEventListener("click", hear, { capture: true, once: true });
    return told;
  });
}

async function expectHit(told) {
  const deadline = Date.now() + WAY;
  for (;;) {
    let hit;
    try {
      hit = await told.evaluate((told) => told.hit);
    } catch {
      // The page went away with the press.
      return;
    }
    if (hit === "it") return;
    if (hit) throw new Error(`something else was hit: ${hit}`);
    if (Date.now() > deadline) throw new Error("a press does not arrive");
    await pause(15);
  }
}

// As somebody scrolls who wants to press it, and not merely until its edge is in the window. A browser that scrolls for an element
// in a frame of another origin scrolls the pages around some time later, and what was to be pressed moves meanwhile; so every page
// is scrolled by itself. `within` is where an element of a frame stands in it.
async function bringIntoView(element, within) {
  const { frame } = element;
  const isInFrame = Boolean(frame.parentFrame());
  if (!isInFrame && within === undefined) {
    await element.evaluate((one) => one.scrollIntoView({ block: "center", behavior: "instant" }));
    return;
  }
  const [middle, hasMoved] = await element.evaluate((one, within) => {
    const place = () => {
      const { top, height } = one.getBoundingClientRect();
      return within === null ? top + height / 2 : top + one.clientTop + within;
    };
    const before = window.scrollY;
    window.scrollBy({ top: place() - window.innerHeight / 2, behavior: "instant" });
    return [place(), window.scrollY !== before];
  }, within ?? null);
  if (isInFrame) await bringIntoView(await frame.frameElement(), middle);
  else if (hasMoved) await drawn(frame);
}

// Whether a frame is pressed is found out by where the browser has last drawn it, which is not yet where it was scrolled to.
async function drawn(frame) {
  const pictures = frame.evaluate((pictures) => new Promise((done) => {
    const next = (left) => (left ? requestAnimationFrame(() => next(left - 1)) : done());
    next(pictures);
  }), PICTURES);
  // Without a script a page does not tell.
  const patience = new Promise((done) => setTimeout(done, PATIENCE));
  await Promise.race([pictures.catch(() => {}), patience]);
}
