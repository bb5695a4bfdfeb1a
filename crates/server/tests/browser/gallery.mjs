// Every page of the list, in both languages, light and dark, wide and narrow, and with words four tenths longer: nothing keeps
// anybody out, nothing sticks out of the window or is cut off, the browser complains about nothing. With SCREENSHOTS, a
// directory, a picture of each is written there.
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { clipped, lengthen, overflow, violations } from "./driver/accessibility.mjs";
import { Browser, THEMES, WIDTHS } from "./driver/browser.mjs";
import { LANGUAGES } from "./driver/languages.mjs";
import { closePages, nameOf, wantedPages } from "./pages.mjs";
import { SECRETS, signIn } from "./world.mjs";

const directory = process.env.SCREENSHOTS;
const wanted = wantedPages();
const begun = Date.now();
const findings = [];
const taken = [];

/** Whoever looks at the pages for one role; a page that arranges its tab beforehand has one of its own. */
async function looker(entry, browser) {
  const known = (browser.lookers ??= new Map());
  const key = entry.before ? entry : entry.as;
  if (known.has(key)) return known.get(key);
  const person = await browser.person();
  if (entry.as) await signIn(person, entry.as);
  const tab = await person.tab();
  known.set(key, tab);
  return tab;
}

/** Looks at a page in all its variants, in the language of a browser. */
async function lookAt(entry, browser) {
  const tab = await looker(entry, browser);
  const name = `${nameOf(entry)}-${browser.language}`;
  try {
    await tab.look({ theme: THEMES[0], width: WIDTHS[0] });
    await entry.before?.(tab);
    await tab.open(await entry.address(browser.language));
    await entry.reach?.(tab);
    for (const theme of THEMES) {
      for (const width of WIDTHS) {
        await tab.look({ theme, width });
        const found = await violations(tab.page, { coloursOnly: theme !== THEMES[0] });
        const faults = [...found, ...(await overflow(tab.page)), ...(await secretsOn(tab))];
        if (theme === THEMES[0]) faults.push(...(await clipped(tab.page)));
        findings.push(...faults.map((fault) => `${name}-${theme}-${width}: ${fault}`));
        if (directory) await take(tab, `${name}-${theme}-${width}.png`);
      }
    }
    await lengthen(tab.page);
    for (const width of WIDTHS) {
      await tab.look({ theme: THEMES[0], width });
      const faults = [...(await overflow(tab.page)), ...(await clipped(tab.page))];
      findings.push(...faults.map((fault) => `${name}-longer-${width}: ${fault}`));
    }
    findings.push(...browser.complaints().map((complaint) => `${name}: ${complaint}`));
  } catch (error) {
    findings.push(`${name}: ${error.stack}`);
    browser.complaints();
  }
  // What was typed is left without a question.
  if (entry.before) await tab.person.leave();
  else await tab.page.goto("about:blank").catch(() => browser.lookers.delete(entry.as));
}

async function take(tab, file) {
  // A page behind another window of its browser is not drawn.
  await tab.page.bringToFront();
  await tab.page.screenshot({ path: path.join(directory, file), fullPage: true });
  taken.push(file);
}

/** Secrets that somebody who looks over a shoulder, or at the picture, could read. */
async function secretsOn(tab) {
  const shown = await tab.page.evaluate(() => {
    const typed = [...document.querySelectorAll("input:not([type=password]), textarea")].map((field) => field.value);
    return [document.body.innerText, ...typed].join("\n");
  });
  return SECRETS.filter((secret) => shown.includes(secret)).map((_, number) => `secret ${number} can be read`);
}

if (directory) await mkdir(directory, { recursive: true });
const browsers = await Promise.all(LANGUAGES.map((language) => Browser.start(language)));
const shared = wanted.filter((entry) => !entry.alone && !entry.first);
for (const entry of wanted.filter((entry) => entry.first)) {
  for (const browser of browsers) await lookAt(entry, browser);
}
await Promise.all(
  browsers.map(async (browser) => {
    for (const entry of shared) await lookAt(entry, browser);
  }),
);
for (const entry of wanted.filter((entry) => entry.alone)) {
  for (const browser of browsers) await lookAt(entry, browser);
}
for (const browser of browsers) await browser.close();
await closePages();
for (const file of taken.sort()) console.log(file);
const variants = LANGUAGES.length * THEMES.length * WIDTHS.length;
const seconds = ((Date.now() - begun) / 1000).toFixed(1);
console.log(`${wanted.length} pages and states in ${variants} variants each, in ${seconds} s`);
for (const finding of findings) console.log(finding);
if (findings.length === 0 && wanted.length > 0) console.log("all passed");
process.exitCode = findings.length === 0 && wanted.length > 0 ? 0 : 1;
