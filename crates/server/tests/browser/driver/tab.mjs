// A tab of somebody's browser. Whatever the browser complains about on the server's pages, such as a refused script, an error of a
// script or something that could not be loaded, fails the test at the end of its step.
import { overflow, violations } from "./accessibility.mjs";
import { eventually } from "./eventually.mjs";
import { url } from "./server.mjs";
import { View, first, readable } from "./view.mjs";

export class Tab extends View {
  constructor(page, person) {
    super(page, person.browser.language);
    this.page = page;
    this.person = person;
    this.complaints = [];
    this.expected = [];
    this.refusals = [];
    page.on("console", (message) => this.hear(message));
    page.on("response", (answer) => this.keep(answer));
    page.on("dialog", (dialog) => {
      // Whoever leaves a page where something was typed means it; no other question is ours.
      if (dialog.type() !== "beforeunload") this.complaints.push(`a dialog at ${page.url()}: ${dialog.message()}`);
      return dialog.accept().catch(() => {});
    });
    page.on("pageerror", (error) => this.complaints.push(`an error of a script at ${page.url()}: ${error.stack}`));
  }

  /** What the server refused, for the message of a failure. */
  keep(answer) {
    if (answer.status() < 400 || !answer.url().startsWith(`${url}/`)) return;
    const head = `${answer.request().method()} ${new URL(answer.url()).pathname}: ${answer.status()}`;
    this.refusals.push(answer.text().then((text) => `${head} ${text.slice(0, 500)}`, () => head));
  }

  hear(message) {
    if (message.type() !== "error" && !/Content.Security.Policy/i.test(message.text())) return;
    const address = message.location().url ?? "";
    if (![this.page.url(), address].some((one) => one.startsWith(`${url}/`))) return;
    // A page may itself be a refusal: its status is no fault of the page.
    if (/Failed to load resource/.test(message.text()) && address === this.page.url()) return;
    this.complaints.push(`the browser complains at ${this.page.url()}: ${message.text()} (${address})`);
  }

  /** From here on a complaint is what the test is about. */
  expectComplaint(pattern) {
    this.expected.push(pattern);
    return this;
  }

  /** Complaints that nobody expected. */
  unexpected() {
    return this.complaints.filter((complaint) => !this.expected.some((pattern) => pattern.test(complaint)));
  }

  async open(address) {
    await this.page.goto(address);
    return this;
  }

  /** The frame of the page whose address begins so. */
  async frame(beginning) {
    const frame = await eventually(`no frame is at ${beginning}`, () =>
      this.page.frames().find((frame) => frame !== this.page.mainFrame() && frame.url().startsWith(beginning)),
    );
    return new View(frame, this.language, this.script);
  }

  /** The window that opens when something is done here. */
  async windowAfter(act) {
    // One that has opened before, and was closed, may only be told of now.
    let opened;
    const hear = (page) => (opened = page);
    this.page.on("popup", hear);
    try {
      await act();
      return await this.person.adopt(await eventually("no window opens", () => opened && !opened.isClosed() && opened));
    } finally {
      this.page.off("popup", hear);
    }
  }

  /** Presses keys one after another, such as "Tab" and "Enter". */
  async keys(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
    return this;
  }

  /** Presses Tab until something of this name has the focus; fails when the focus comes round without having met it. */
  async tabTo(name, most = 80) {
    const wanted = this.word(name);
    const met = [];
    for (let presses = 0; presses < most; presses += 1) {
      const focused = await this.focused();
      if (wanted instanceof RegExp ? wanted.test(focused) : focused === wanted) return this;
      met.push(focused);
      await this.keys("Tab");
      await this.expectFocusToBeSeen();
    }
    throw new Error(`Tab does not come to “${wanted}”, but to: ${[...new Set(met)].join(" | ")}`);
  }

  /** What has the focus can be seen, at least a part of it (WCAG 2.4.11). */
  async expectFocusToBeSeen() {
    const frame = await this.focusedFrame();
    const hidden = await frame.evaluate(() => {
      const focused = document.activeElement;
      if (!focused || focused === document.body || focused.matches("iframe")) return undefined;
      const { left, right, top, bottom } = focused.getBoundingClientRect();
      const isSeen = (x, y) => {
        const there = document.elementFromPoint(x, y);
        return there && (focused.contains(there) || there.contains(focused) || there.closest("label")?.control === focused);
      };
      const columns = [0.1, 0.5, 0.9].map((share) => left + (right - left) * share);
      const rows = [0.1, 0.5, 0.9].map((share) => top + (bottom - top) * share);
      return rows.some((y) => columns.some((x) => isSeen(x, y))) ? undefined : focused.outerHTML.slice(0, 200);
    });
    if (hidden) throw new Error(`what has the focus cannot be seen: ${hidden}`);
  }

  /** The accessible name of what has the focus. */
  async focused() {
    return (await this.focusedNode()).name;
  }

  /** The accessible name and the role of what has the focus, also within a frame. */
  async focusedNode() {
    const frame = await this.focusedFrame();
    const snapshot = await frame.accessibility.snapshot({ interestingOnly: false });
    const find = (node) => (node.focused && node.role !== "RootWebArea" ? node : first(node.children ?? [], find));
    const { name = "", role = "" } = (snapshot && find(snapshot)) ?? {};
    return { name: readable(name), role };
  }

  /** The innermost frame that the keys go to. */
  async focusedFrame() {
    for (let frame = this.page.mainFrame(); ; ) {
      const focused = await frame.evaluateHandle(() => document.activeElement);
      const inner = await focused.asElement()?.contentFrame();
      if (!inner) return frame;
      frame = inner;
    }
  }

  async look({ theme, width }) {
    await this.page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: theme },
      { name: "prefers-reduced-motion", value: "reduce" },
    ]);
    await this.page.setViewport({ width, height: width < 600 ? 640 : 800 });
    return this;
  }

  /** No violation of WCAG 2.2 AA, and nothing that sticks out of the window. */
  async expectNoViolations() {
    const found = [...(await violations(this.page)), ...(await overflow(this.page))];
    if (found.length > 0) throw new Error(`${this.page.url()}\n${found.join("\n")}`);
    return this;
  }

  async close() {
    await this.page.close();
  }
}
