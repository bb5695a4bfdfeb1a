// Chromium, one for each language: a browser asks for its language in whatever it loads, in windows and frames as well.
import path from "node:path";
import { pathToFileURL } from "node:url";

import { Tab } from "./tab.mjs";

const file = path.join(process.env.NPM_CLIENTS_DIR, "node_modules/puppeteer-core/lib/esm/puppeteer/puppeteer-core.js");
const { default: puppeteer } = await import(pathToFileURL(file));

export const THEMES = ["light", "dark"];
export const WIDTHS = [1280, 320];

export class Browser {
  constructor(process, language) {
    this.process = process;
    this.language = language;
    this.tabs = [];
  }

  static async start(language) {
    const process_ = await puppeteer.launch({
      executablePath: process.env.CHROMIUM_BIN,
      // Nothing that a browser is told takes longer; what hangs is to fail while somebody still waits for it.
      protocolTimeout: 30_000,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        // Pages of the browser's own, of which it would load two for each window; and the protection of frames that have
        // just moved, which swallows the click of somebody as quick as a test.
        "--disable-features=DiscardInputEventsToRecentlyMovedFrames,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,PreloadTopChromeWebUI",
        `--accept-lang=${language}`,
      ],
    });
    return new Browser(process_, language);
  }

  /** Somebody with cookies of their own; `options` as for {@link Person.tab}. */
  async person(options = {}) {
    return new Person(await this.process.createBrowserContext(), this, options);
  }

  /** What the browser complained about since it was last asked. */
  complaints() {
    return this.tabs.flatMap((tab) => {
      const unexpected = tab.unexpected();
      tab.complaints = [];
      return unexpected;
    });
  }

  async close() {
    await this.process.close();
  }
}

/** Somebody with a browser profile of their own. */
export class Person {
  constructor(context, browser, options) {
    this.context = context;
    this.browser = browser;
    this.options = options;
  }

  /** A new tab; without script when `script` is false. */
  async tab(options = {}) {
    const { script = true, theme = "light", width = 1280 } = { ...this.options, ...options };
    const tab = await this.adopt(await this.context.newPage());
    await tab.look({ theme, width });
    tab.script = script;
    if (!script) await tab.page.setJavaScriptEnabled(false);
    return tab;
  }

  /** A tab that has opened by itself. */
  async adopt(page) {
    const tab = new Tab(page, this);
    this.browser.tabs.push(tab);
    return tab;
  }

  async leave() {
    await this.context.close();
  }
}
