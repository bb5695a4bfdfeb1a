// Steps of a suite, one after another. A step that fails does not keep the next ones from being tried: whoever mends a page
// wants to know of everything at once.
import { mkdtempSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { Browser } from "./browser.mjs";
import { LANGUAGES } from "./languages.mjs";

/** No step waits for longer: whatever it is, it does not come. */
const PATIENCE = 240_000;

const steps = [];

/** A step: a sentence that says what holds, and what shows it. It is given an English browser and a Japanese one. */
export const step = (sentence, show) => steps.push([sentence, show]);

/** Runs all steps; the last line is `all passed` when that is so. */
export async function run(...closed) {
  const started = await Promise.all(LANGUAGES.map(async (language) => [language, await Browser.start(language)]));
  const browsers = Object.fromEntries(started);
  let failures = 0;
  // Told last: whoever reads of a failure sees it at once, also where a long output is cut off.
  const passed = [];
  for (const [sentence, show] of steps) {
    const begun = Date.now();
    const failure = await attempt(() => show(browsers), browsers);
    const line = () => `${sentence} (${Date.now() - begun} ms)`;
    if (failure) {
      failures += 1;
      console.log(`not ok - ${line()}\n${failure}\n${await pictures(browsers)}`);
    } else {
      passed.push(`ok - ${line()}`);
    }
    await tidy(browsers);
  }
  for (const line of passed) console.log(line);
  for (const browser of Object.values(browsers)) await browser.close();
  for (const close of closed) await close();
  console.log(failures === 0 ? "all passed" : `${failures} of ${steps.length} failed`);
  process.exitCode = failures === 0 ? 0 : 1;
}

/** What went wrong; nothing when all went well. */
async function attempt(show, browsers) {
  const complaints = () => Object.values(browsers).flatMap((browser) => browser.complaints());
  const long = new AbortController();
  try {
    const late = pause(PATIENCE, undefined, { signal: long.signal, ref: false }).then(() => {
      throw new Error(`the step takes longer than ${PATIENCE / 1000} s`);
    });
    await Promise.race([show(), late]);
  } catch (error) {
    return [error.stack, ...complaints()].join("\n");
  } finally {
    long.abort();
  }
  return complaints().join("\n");
}

/** What the tabs look like after a failure, and what the server has refused them. */
async function pictures(browsers) {
  const directory = mkdtempSync(path.join(tmpdir(), "tombolo-browser-"));
  const open = Object.values(browsers).flatMap((browser) => browser.tabs.filter((tab) => !tab.page.isClosed()));
  for (const [number, tab] of open.entries()) {
    const picture = await tab.page.screenshot({ fullPage: true }).catch(() => undefined);
    if (picture) await writeFile(path.join(directory, `${number}-${tab.language}.png`), picture);
  }
  const refused = await Promise.all(open.flatMap((tab) => tab.refusals));
  return [...refused, `pictures of the open tabs: ${directory}`].join("\n");
}

/** The next step finds no tab of this one. */
async function tidy(browsers) {
  for (const browser of Object.values(browsers)) {
    const people = new Set(browser.tabs.map((tab) => tab.person));
    browser.tabs = [];
    for (const person of people) await person.leave().catch(() => {});
  }
}
