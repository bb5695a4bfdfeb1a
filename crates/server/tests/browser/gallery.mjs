// Every page of the list, in both languages, light and dark, wide and narrow: nothing keeps anybody out, nothing sticks out of
// the window, the browser complains about nothing. With SCREENSHOTS, a directory, a picture of each is written there.
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { overflow, violations } from "./driver/accessibility.mjs";
import { Browser, THEMES, WIDTHS } from "./driver/browser.mjs";
import { LANGUAGES } from "./driver/languages.mjs";
import { nameOf, wantedPages } from "./pages.mjs";
import { SECRETS, signIn } from "./world.mjs";

const directory = process.env.SCREENSHOTS;
const wanted = wantedPages();
const begun = Date.now();
const findings = [];
const taken = [];

/** Looks at a page in all its variants, in the language of a browser. */
async function lookAt(entry, browser) {
  const person = await browser.person();
  const name = `${nameOf(entry)}-${browser.language}`;
  try {
    if (entry.as === "admin") await signIn(person);
    const tab = await person.tab();
    await tab.open(await entry.address(browser.language));
    await entry.reach?.(tab);
    for (const theme of THEMES) {
      for (const width of WIDTHS) {
        await tab.look({ theme, width });
        const found = await violations(tab.page, { coloursOnly: theme !== THEMES[0] });
        const faults = [...found, ...(await overflow(tab.page)), ...(await secretsOn(tab))];
        findings.push(...faults.map((fault) => `${name}-${theme}-${width}: ${fault}`));
        if (directory) await take(tab, `${name}-${theme}-${width}.png`);
      }
    }
    findings.push(...browser.complaints().map((complaint) => `${name}: ${complaint}`));
  } catch (error) {
    findings.push(`${name}: ${error.stack}`);
  } finally {
    browser.tabs = [];
    await person.leave();
  }
}

async function take(tab, file) {
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
for (const file of taken.sort()) console.log(file);
const variants = LANGUAGES.length * THEMES.length * WIDTHS.length;
const seconds = ((Date.now() - begun) / 1000).toFixed(1);
console.log(`${wanted.length} pages and states in ${variants} variants each, in ${seconds} s`);
for (const finding of findings) console.log(finding);
if (findings.length === 0 && wanted.length > 0) console.log("all passed");
process.exitCode = findings.length === 0 && wanted.length > 0 ? 0 : 1;
