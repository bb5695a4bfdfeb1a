// Somebody who has a keyboard and nothing else: they come to things with Tab and with arrows, and never point at anything.
import { BUTTONS, TEXTS } from "./view.mjs";

/** The hands of somebody at a tab, who does with keys what a {@link View} does by pointing. */
export class Keyboard {
  /** `view` is what they look at, when that is a frame of the tab. */
  constructor(tab, view = tab) {
    this.tab = tab;
    this.view = view;
    this.script = true;
  }

  /** Types into a field, in the place of what is there. */
  async type(label, text) {
    await this.#reach(label, TEXTS);
    const { keyboard } = this.tab.page;
    await keyboard.down("Control");
    await keyboard.press("a");
    await keyboard.up("Control");
    await keyboard.type(String(text));
    return this;
  }

  /** Puts a text into a field and goes on, as somebody does who copied it: what it tells fills other fields. */
  async paste(label, text) {
    await this.type(label, text);
    await this.tab.keys("Tab");
    return this;
  }

  /** Presses a button, follows a link, ticks a box, opens what is folded, or takes a choice. */
  async press(name) {
    const role = await this.#reach(name, BUTTONS);
    // The arrow that led to a choice has taken it.
    if (role !== "radio") await this.tab.keys(["checkbox", "switch"].includes(role) ? "Space" : "Enter");
    return this;
  }

  /** Tab goes through a group as through anything else. */
  async group() {
    return this;
  }

  /** Looking needs no hands. */
  async expectValue(label, value) {
    await this.view.expectValue(label, value);
    return this;
  }

  async expectText(text) {
    await this.view.expectText(text);
    return this;
  }

  /** Comes to something by keys alone, and answers what it is. */
  async #reach(name, roles) {
    await this.view.find(name, roles);
    const wanted = this.tab.word(name);
    const isIt = ({ name, role }) => roles.includes(role) && (wanted instanceof RegExp ? wanted.test(name) : name === wanted);
    const met = [];
    for (let presses = 0; presses < 100; presses += 1) {
      let here = await this.tab.focusedNode();
      const first = here;
      // Of choices only one is come to with Tab; arrows lead to the others.
      while (here.role === "radio" && !isIt(here)) {
        await this.tab.keys("ArrowDown");
        here = await this.tab.focusedNode();
        if (here.name === first.name) break;
      }
      if (isIt(here)) return here.role;
      met.push(here.name);
      await this.tab.keys("Tab");
      await this.tab.expectFocusToBeSeen();
    }
    throw new Error(`Tab does not come to “${wanted}”, but to: ${[...new Set(met)].join(" | ")}`);
  }
}
