// An account that is linked in the dashboard: tested and stored without leaving the form, so that what was typed stays.
import { complete, fields, refused, say } from "./account-form.js";
import { places } from "./account-places.js";
import { runTest } from "./account-test.js";

const sheet = document.querySelector("form[data-account]");
let isDirty = false;
let isRunning = false;

fields(sheet, ["form_token"]);
places(sheet, ["form_token"]);
sheet.addEventListener("input", () => { isDirty = true; });
addEventListener("beforeunload", (event) => {
  if (isDirty) event.preventDefault();
});
sheet.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (isRunning || !complete(sheet)) return;
  const button = event.submitter;
  const values = new FormData(sheet);
  values.set("press", button.value);
  isRunning = true;
  button.setAttribute("aria-busy", "true");
  const on = {
    linked: ({ address }) => {
      isDirty = false;
      location.assign(address);
    },
    problem: (line) => refused(sheet, line),
  };
  try {
    await runTest(sheet, location.pathname, { canStop: button.value === "test", values, on });
  } finally {
    isRunning = false;
    button.removeAttribute("aria-busy");
  }
});
