// The fields of an account's form, in the Connect UI and in the dashboard.
import { revealing } from "./reveal.js";

export function word(name) {
  const lists = [...document.querySelectorAll("[data-words]")];
  return lists.map((list) => list.content.querySelector(`[data-word="${name}"]`)).find(Boolean)?.textContent ?? "";
}
export const copyOf = (name) => document.querySelector(`template[data-${name}]`).content.firstElementChild.cloneNode(true);

/** Has a form's fields do what a script adds to them. `asked` names the fields that go along when an address is read. */
export function fields(sheet, asked) {
  sheet.addEventListener("input", (event) => {
    if (event.target.getAttribute("aria-invalid") === "true") check(event.target);
  });
  // The Enter key of an input method chooses characters; it does not send the form.
  sheet.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.isComposing) event.preventDefault();
  });
  revealing(sheet);
  rows(sheet);
  if ("takesPasted" in sheet.dataset) pasting(sheet, asked);
}

/** What goes along with what a form's script sends: nothing, but where somebody is signed in. */
export const credentialsOf = (sheet) => sheet.dataset.credentials ?? "omit";

/** Looks only whether something stands where something must. The server looks at the rest. */
export function complete(sheet) {
  let first;
  for (const input of sheet.querySelectorAll('[aria-required="true"]')) {
    if (!input.checkVisibility() || input.value.trim()) continue;
    const entry = input.closest("[data-entry]");
    if (entry && entry.previousElementSibling?.matches("[data-entry], summary")) continue;
    mark(input, word("required"));
    first ??= input;
  }
  first?.focus();
  return !first;
}

/** Tells what is wrong where it is wrong, and the rest above the form. */
export function refused(sheet, { what, fix, fields }) {
  say("");
  const other = document.querySelector("[data-other-account]");
  if (other && fields.some(({ code }) => code === "other_account")) other.hidden = false;
  let first;
  for (const { input, message } of fields) {
    const element = sheet.elements[input] instanceof RadioNodeList ? sheet.elements[input][0] : sheet.elements[input];
    if (element && element.type !== "hidden") {
      mark(element, message);
      for (let folded = element.closest("details"); folded; folded = folded.parentElement.closest("details")) folded.open = true;
      first ??= element;
    } else {
      what = `${what} ${message}`;
    }
  }
  if (!first) say(`${what} ${fix}`);
  first?.focus();
  return what;
}

/** Tells something above the form; nothing to tell hides the line. */
export function say(text) {
  const general = document.querySelector("[data-general]");
  general.textContent = text;
  general.hidden = !text;
  if (text) general.scrollIntoView({ block: "nearest" });
}

function check(input) {
  if (input.value.trim()) mark(input, "");
}

/** Tells what is wrong with an input; an empty message takes it back. */
export function mark(input, message) {
  input.toggleAttribute("aria-invalid", false);
  if (message) input.setAttribute("aria-invalid", "true");
  const error = document.getElementById(`${input.id}-error`);
  if (error) error.textContent = message;
}

// Rows that nobody uses yet wait until they are asked for.
function rows(sheet) {
  for (const entries of sheet.querySelectorAll("[data-entries]")) {
    const more = entries.querySelector(".more-rows");
    if (!more) continue;
    const waiting = [...more.querySelectorAll("[data-entry]")];
    const isUsed = (row) => [...row.querySelectorAll("input")].some((input) => input.value);
    for (const row of waiting) {
      row.hidden = !isUsed(row);
      more.before(row);
    }
    more.remove();
    const add = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: word("add-row") });
    const next = () => waiting.find((row) => row.hidden);
    add.hidden = !next();
    add.addEventListener("click", () => {
      const row = next();
      row.hidden = false;
      row.querySelector("input").focus();
      add.hidden = !next();
    });
    const line = document.createElement("div");
    line.append(add);
    entries.append(line);
  }
}

// An address of any page of the vendor's fills the fields that it tells.
function pasting(sheet, asked) {
  sheet.addEventListener("paste", (event) => {
    const input = event.target;
    const text = event.clipboardData?.getData("text")?.trim() ?? "";
    if (!input.matches('[name^="c."]') || !/[./]/.test(text) || text.length > 2000) return;
    event.preventDefault();
    input.value = text;
    fill(text, input);
  });
  sheet.addEventListener("focusout", (event) => {
    const input = event.target;
    if (input.matches('[name^="c."]') && /[./]/.test(input.value)) fill(input.value, input);
  });
  // What was pasted before the script was there is read as well.
  for (const input of sheet.querySelectorAll('input[name^="c."]:not([type=hidden])')) {
    if (/[./]/.test(input.value)) fill(input.value, input);
  }
  async function fill(text, input) {
    const body = new FormData();
    for (const name of asked) body.set(name, sheet.elements[name].value);
    body.set("pasted", text);
    const answer = await fetch(sheet.dataset.paste, { method: "POST", body, credentials: credentialsOf(sheet) });
    const fields = await answer.json().catch(() => ({}));
    for (const [name, value] of Object.entries(fields)) {
      const places = sheet.querySelectorAll(`[name="c.${CSS.escape(name)}"], [name$=".${CSS.escape(name)}"][name^="s."]`);
      for (const [index, place] of places.entries()) {
        // In rows only the first is meant, and what somebody typed there stays.
        const isRow = place.closest("[data-entry]");
        if (isRow && (isRow.hidden || (index > 0 && places[index - 1].name === place.name) || place.value)) continue;
        place.value = value;
        mark(place, "");
      }
    }
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
