// A page, or a frame in one, as somebody finds their way on it who sees no markup: by what things are called.
import { eventually } from "./eventually.mjs";
import { press } from "./press.mjs";

export const TEXTS = ["textbox", "searchbox", "combobox", "spinbutton"];
const FIELDS = [...TEXTS, "checkbox", "switch", "listbox"];
export const BUTTONS = ["button", "checkbox", "switch", "link", "menuitem", "tab", "option", "radio", "DisclosureTriangle"];
const GROUPS = ["group", "radiogroup", "region", "form", "dialog"];

export class View {
  /**
   * `place` is a page, a frame or an element of Puppeteer; `language` says which of two names is meant, and `script` whether
   * scripts run there.
   */
  constructor(place, language, script = true) {
    this.place = place;
    this.language = language;
    this.script = script;
  }

  /** A text, or that of our language out of `{ en, ja }`. */
  word(text) {
    return text instanceof RegExp || typeof text === "string" ? text : text[this.language];
  }

  /**
   * What has this accessible name and one of these roles, as a screen reader would say them. A name may be a pattern where
   * more is said than a test wants to know.
   */
  async find(name, roles) {
    const wanted = this.word(name);
    return eventually(
      async () => `nothing is called ${wanted} (${roles.join(", ")}); the page has:\n${await this.outline()}`,
      async () => (await this.isReady()) && this.seek(wanted, roles),
    );
  }

  /** Whether the page has loaded, and its scripts have begun: nobody has hands as quick as a test, which would come before them. */
  async isReady() {
    return this.place.evaluate(() => document.readyState === "complete");
  }

  /** Whether something is called so at this moment. */
  async has(name, roles = [...FIELDS, ...BUTTONS]) {
    return Boolean(await this.seek(this.word(name), roles));
  }

  async seek(name, roles) {
    const element = this.place.frame ? { root: this.place } : {};
    const frame = this.place.frame ?? this.place.mainFrame?.() ?? this.place;
    const fits = (said) => (name instanceof RegExp ? name.test(said) : name === said);
    const search = (node) =>
      roles.includes(node.role) && fits(readable(node.name ?? "")) ? node : first(node.children ?? [], search);
    const tree = await frame.accessibility.snapshot({ interestingOnly: false, ...element });
    const found = tree && search(tree);
    return (await found?.elementHandle()) ?? undefined;
  }

  /** The part of the page that has a name, such as a set of fields under one heading. */
  async group(name) {
    return new View(await this.find(name, GROUPS), this.language, this.script);
  }

  field(label) {
    return this.find(label, FIELDS);
  }

  button(name) {
    return this.find(name, BUTTONS);
  }

  /** Types into a field, in the place of what is there. */
  async type(label, text) {
    const field = await this.find(label, TEXTS);
    await field.focus();
    await field.evaluate((input) => input.select?.());
    await field.type(String(text));
    return this;
  }

  /** Puts a text into a field at once, as a paste does. */
  async paste(label, text) {
    const field = await this.find(label, TEXTS);
    await field.focus();
    await field.evaluate((input, text) => {
      const data = new DataTransfer();
      data.setData("text/plain", text);
      const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
      if (input.dispatchEvent(paste)) {
        input.select();
        document.execCommand("insertText", false, text);
      }
    }, String(text));
    return this;
  }

  async value(label) {
    return (await this.field(label)).evaluate((input) => (input.type === "checkbox" ? input.checked : input.value));
  }

  /** Waits until a field has a value, or one that fits a pattern. */
  async expectValue(label, value) {
    const wanted = this.word(value);
    const fits = (has) => (wanted instanceof RegExp ? wanted.test(has) : has === wanted);
    await eventually(
      async () => `${this.word(label)} is not ${wanted}, but “${await this.value(label)}”`,
      async () => fits(await this.value(label)),
    );
    return this;
  }

  /** Chooses an entry of a list by its value. */
  async choose(label, value) {
    await (await this.field(label)).select(value);
    return this;
  }

  /** Presses a button or follows a link. */
  async press(name) {
    await press(await this.button(name), this.script);
    return this;
  }

  /** Presses what can only be told by its place in the markup. */
  async pressOn(selector) {
    await press(await this.expect(selector), this.script);
    return this;
  }

  /** What somebody can read. */
  async text() {
    return readable(await this.place.evaluate(() => document.body?.innerText ?? ""));
  }

  async expectText(text) {
    const wanted = this.word(text);
    const isThere = (shown) => (wanted instanceof RegExp ? wanted.test(shown) : shown.includes(wanted));
    await eventually(
      async () => `“${wanted}” is not on the page, which says:\n${await this.text()}`,
      async () => isThere(await this.text()),
    );
    return this;
  }

  async expectNoText(text) {
    const shown = await this.text();
    if (shown.includes(this.word(text))) throw new Error(`“${this.word(text)}” is on the page:\n${shown}`);
    return this;
  }

  async expect(selector) {
    return eventually(
      async () => `nothing is at ${selector}; the page says:\n${await this.text()}`,
      async () => (await this.isReady()) && this.place.$(selector),
    );
  }

  /** What a screen reader would find to act on, for messages of failures. */
  async outline() {
    const named = await this.place.evaluate(() =>
      [...document.querySelectorAll("a, button, input, select, textarea, summary")]
        .filter((one) => one.checkVisibility())
        .map((one) => {
          const label = one.labels?.[0]?.innerText ?? one.getAttribute("aria-label") ?? one.innerText;
          return `  ${one.localName} ${JSON.stringify(label?.trim())}`;
        }),
    );
    return `${named.join("\n")}\n${await this.text()}`;
  }
}

/** A text without the marks that keep names of other directions in their place, which nobody sees. */
export const readable = (text) => text.replaceAll(/[\u2066-\u2069]/g, "");

/** What the first of some nodes has that a search finds. */
export function first(nodes, search) {
  for (const node of nodes) {
    const found = search(node);
    if (found) return found;
  }
  return undefined;
}
