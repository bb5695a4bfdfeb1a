// An account that is linked in the dashboard: tested and stored without leaving the form, so that what was typed stays.
import { complete, fields, refused } from "./account-form.js";
import { places } from "./account-places.js";
import { oneByOne, runTest } from "./account-test.js";

const sheet = document.querySelector("form[data-account]");
let isDirty = false;
const press = oneByOne(sheet);

fields(sheet, ["form_token"]);
places(sheet, ["form_token"]);
sheet.addEventListener("input", () => { isDirty = true; });
addEventListener("beforeunload", (event) => {
  if (isDirty) event.preventDefault();
});
sheet.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!complete(sheet)) return;
  const button = event.submitter;
  const on = {
    linked: ({ address }) => {
      isDirty = false;
      location.assign(address);
    },
    problem: (line) => refused(sheet, line),
  };
  press(button, () => {
    const values = new FormData(sheet);
    values.set("press", button.value);
    return runTest(sheet, location.pathname, { canStop: button.value === "test", values, on });
  });
});
