// Lists and pages that are renewed while somebody looks: the server renders them again, and only what changed is put in.
import { copying } from "./copy.js";
import { showTimes } from "./dashboard.js";
import { tables } from "./table.js";

const ROWS_MAX = 500;

function pageAt(address) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    request.timeout = 15000;
    request.onload = () => (request.status === 200 && request.response ? resolve(request.response) : reject());
    request.onerror = request.ontimeout = reject;
    request.send();
  });
}

function imported(node) {
  const own = document.importNode(node, true);
  showTimes(own);
  return own;
}

// Puts in what is new, and says how many rows are.
function renew(region, fresh) {
  const rows = region.querySelector("tbody[data-rows]");
  const freshRows = fresh.querySelector("tbody[data-rows]");
  if (!rows || !freshRows) {
    const isSame = rows || freshRows ? false : region.dataset.state === fresh.dataset.state;
    if (!isSame) {
      region.replaceChildren(...[...fresh.children].map(imported));
      copying(region);
      tables(region);
      region.dataset.state = fresh.dataset.state;
    }
    return freshRows ? freshRows.rows.length : 0;
  }
  const known = new Map([...rows.rows].map((row) => [row.dataset.row, row]));
  let added = 0;
  for (const row of [...freshRows.rows].reverse()) {
    const old = known.get(row.dataset.row);
    if (old && (old.dataset.state === row.dataset.state || old.contains(document.activeElement))) continue;
    const own = imported(row);
    if (old) {
      old.replaceWith(own);
    } else {
      own.classList.add("is-new");
      rows.prepend(own);
      added += 1;
    }
  }
  while (rows.rows.length > ROWS_MAX) rows.lastElementChild.remove();
  return added;
}

for (const region of document.querySelectorAll("[data-live]")) {
  const button = document.querySelector(`[data-live-switch][aria-controls="${region.id}"]`);
  const said = document.querySelector("[data-live-said]");
  const isOn = () => (button ? button.getAttribute("aria-pressed") === "true" : "moving" in region.dataset);
  let failures = 0;
  let timer;

  // One request at a time, and none while nobody sees the page.
  const plan = () => {
    clearTimeout(timer);
    if (isOn() && !document.hidden) timer = setTimeout(look, region.dataset.live * Math.min(1 + failures, 10));
  };
  const look = async () => {
    try {
      const page = await pageAt(location.pathname + location.search);
      const fresh = page.getElementById(region.id);
      if (!fresh || !isOn()) return;
      failures = 0;
      const added = renew(region, fresh);
      if (!button && !("moving" in fresh.dataset)) delete region.dataset.moving;
      if (said && added) said.textContent = said.dataset.new.replace("{count}", added);
    } catch {
      failures += 1;
      if (said && failures === 2) said.textContent = said.dataset.lost;
    }
    plan();
  };

  if (button) {
    button.classList.add("ready");
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(!isOn()));
      if (said) said.textContent = "";
      if (isOn()) look();
      else plan();
    });
  }
  document.addEventListener("visibilitychange", plan);
  plan();
}
