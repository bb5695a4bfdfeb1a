// Pages of the vendor in the person's own tenant, where values are found: the server knows their addresses as soon as what they
// need was typed.
import { credentialsOf } from "./account-form.js";

const PAUSE = 400;

/** Shows the links of a form as what was typed tells them. `asked` names the fields that go along. */
export function places(sheet, asked) {
  const all = [...sheet.querySelectorAll("[data-place]")];
  if (!all.length) return;
  let waiting;
  let known = "";
  sheet.addEventListener("input", ({ target }) => {
    if (!/^[cs]\./.test(target.name) || target.matches("[data-secret]")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => ask().catch(() => {}), PAUSE);
  });

  async function ask() {
    const body = new FormData();
    for (const name of asked) body.set(name, sheet.elements[name].value);
    for (const input of sheet.querySelectorAll('[name^="c."], [name^="s."]')) {
      if (!input.matches("[data-secret], [type=file]")) body.append(input.name, input.value);
    }
    const typed = new URLSearchParams(body).toString();
    if (typed === known) return;
    known = typed;
    const answer = await fetch(sheet.dataset.places, { method: "POST", body, credentials: credentialsOf(sheet) });
    const found = answer.ok ? await answer.json() : {};
    if (typed !== known) return;
    for (const place of all) {
      const address = found[place.dataset.place];
      place.classList.toggle("unseen", !address);
      if (address) place.firstElementChild.href = address;
    }
  }
}
