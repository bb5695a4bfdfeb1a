// What stands on a page stays where it is: somebody who is about to press something must not hit what has taken its place. Scripts
// are held back here until the page is drawn without them, as they come late to whoever is far away.
import assert from "node:assert/strict";

import { WIDTHS } from "./driver/browser.mjs";
import { eventually } from "./driver/eventually.mjs";
import { run, step } from "./driver/suite.mjs";
import { closePages, nameOf, wantedPages } from "./pages.mjs";
import { signIn } from "./world.mjs";

// Where a page is gone on from it is mostly one of the others; in a frame, which is arranged before, it has more buttons.
const entries = wantedPages().filter((entry) => (!entry.reach || entry.before) && !entry.alone && !entry.first);

/** A tab of somebody new, whose browser has no script yet, in which scripts wait until they are let in. */
async function freshTab(browser, role, width) {
  const person = await browser.person({ width });
  if (role) await signIn(person, role);
  const tab = await person.tab();
  // Refusals are pages as well, and other tests look at what browsers complain about.
  tab.expectComplaint(/./);
  tab.held = [];
  await tab.page.setRequestInterception(true);
  tab.page.on("request", (request) => {
    if (request.resourceType() === "script" && tab.held) tab.held.push(request);
    else request.continue();
  });
  return tab;
}

/** Opens a page, and answers what a script of it moves up or down. */
async function movedOn(tab, address) {
  const opened = tab.open(address);
  // Whatever goes wrong before somebody waits for it is told then.
  opened.catch(() => {});
  await eventually(`${address} is not drawn`, () =>
    tab.page.evaluate(() => performance.getEntriesByName("first-contentful-paint").length > 0),
  );
  await tab.page.evaluate(() => {
    const top = (one) => one.getBoundingClientRect().top + window.scrollY;
    // An icon has its room before its file has come; what is drawn in it has not.
    const all = [...document.body.querySelectorAll("*:not(svg *)")];
    const shown = all.filter((one) => one.checkVisibility({ visibilityProperty: true }));
    window.stood = shown.map((one) => [one, top(one)]);
  });
  const { held } = tab;
  tab.held = undefined;
  await Promise.all(held.map((request) => request.continue()));
  await opened;
  return tab.page.evaluate(() => {
    const top = (one) => one.getBoundingClientRect().top + window.scrollY;
    const moved = window.stood.filter(([one, before]) => one.isConnected && one.checkVisibility() && Math.abs(top(one) - before) > 0.5);
    return moved.slice(0, 3).map(([one, before]) => `${one.cloneNode(false).outerHTML.slice(0, 160)} from ${before} to ${top(one)} px`);
  });
}

const areas = new Set(entries.map(({ area }) => area));
for (const width of WIDTHS) {
  for (const area of areas) {
    step(`nothing moves when the scripts of a page come: ${area}, ${width} px wide`, async ({ en }) => {
      const moved = [];
      for (const entry of entries.filter((entry) => entry.area === area)) {
        const tab = await freshTab(en, entry.as, width);
        await entry.before?.(tab);
        const found = await movedOn(tab, await entry.address("en"));
        moved.push(...found.map((what) => `${nameOf(entry)}: ${what}`));
        await tab.person.leave();
      }
      assert.deepEqual(moved, []);
    });
  }
}

await run(closePages);
