// The dashboard: what a script adds. Every page works without it.
import { choosingClients } from "./account-clients.js";
import { copying } from "./copy.js";
import "./palette.js";
import "./table.js";

export function showTimes(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    time.textContent = at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: time.dataset.local || "short" });
    time.title = time.dateTime;
  }
}
showTimes(document);

copying(document);

for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", (event) => event.submitter?.setAttribute("aria-busy", "true"));
}

// An open menu closes when somebody goes on elsewhere.
addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[name=menu][open], details[data-columns][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details[name=menu][open], details[data-columns][open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  // A slash goes to the search of the page.
  if (event.key !== "/" || event.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.querySelector("[data-slash]");
  if (search) {
    event.preventDefault();
    search.focus();
  }
});

// Whoever comes back from a vendor has decided there.
document.querySelector("form[data-at-once]")?.requestSubmit();

for (const sheet of document.querySelectorAll("form[data-account]")) choosingClients(sheet, () => {});
