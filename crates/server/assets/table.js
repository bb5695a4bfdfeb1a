// Tables are filtered, sorted, copied, saved and made narrower by whoever looks at them.
import { copyText } from "./copy.js";

const SEPARATOR = ",";

/** Gives the tables of a place what a script adds to them. */
export function tables(place) {
  for (const table of place.querySelectorAll("table[data-sortable]")) sorting(table);
  for (const table of place.querySelectorAll("table[data-sortable], table[data-tools]")) tools(table);
}

tables(document);

function sorting(table) {
  const body = table.tBodies[0];
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const order = new Intl.Collator(document.documentElement.lang, { numeric: true });
      const value = (row) => textOf(row.cells[heading.cellIndex]);
      const rows = [...body.rows].sort((one, other) => order.compare(value(one), value(other)));
      body.append(...(down ? rows.reverse() : rows));
    });
  }
}

// A moment is copied as machines read it, whatever zone it is shown in; buttons are no content.
function textOf(cell) {
  const time = cell.querySelector("time");
  if (time) return time.dateTime;
  const badges = [...cell.querySelectorAll(":scope > .badge")];
  if (badges.length > 1) return badges.map((badge) => badge.textContent.trim()).join(" ");
  if (cell.querySelector("button:not([data-sort])") && cell.tagName === "TD") return "";
  return cell.textContent.trim().replace(/\s+/g, " ");
}

function shown(table) {
  const columns = [...table.tHead.rows[0].cells].filter((cell) => !cell.hidden).map((cell) => cell.cellIndex);
  const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
  return [table.tHead.rows[0], ...rows].map((row) => columns.map((index) => textOf(row.cells[index])));
}

// A cell that a spreadsheet would take for a formula is told as text.
function quoted(text) {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

function tools(table) {
  const holder = table.closest(".table");
  const bar = holder.previousElementSibling;
  filtering(table, bar.querySelector("[data-filter-rows]"));
  const copy = bar.querySelector("[data-copy-table]");
  copy.addEventListener("click", async () => {
    const before = copy.textContent;
    const lines = shown(table).map((row) => row.map((text) => text.replaceAll("\t", " ")).join("\t"));
    if (!(await copyText(lines.join("\n")))) return;
    copy.textContent = copy.dataset.done;
    setTimeout(() => (copy.textContent = before), 2000);
  });
  bar.querySelector("[data-save-table]").addEventListener("click", () => {
    const text = shown(table).map((row) => row.map(quoted).join(SEPARATOR)).join("\r\n");
    // The mark at the beginning has spreadsheets read it as UTF-8.
    const address = URL.createObjectURL(new Blob(["\uFEFF", text, "\r\n"], { type: "text/csv" }));
    const name = `${(holder.getAttribute("aria-label") ?? "table").replace(/[\\/:*?"<>|]+/g, " ").trim()}.csv`;
    Object.assign(document.createElement("a"), { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  });
  // Rows that come while somebody looks have all their columns.
  if ("sortable" in table.dataset) columns(table, bar.querySelector("[data-columns]"));
}

// The rows of this page alone, in any of their columns; the filters above a list look through all of it. Width and
// case make no difference.
function filtering(table, input) {
  const folded = (text) => text.normalize("NFKC").toLowerCase();
  const apply = () => {
    const wanted = folded(input.value).split(/\s+/).filter(Boolean);
    for (const row of table.tBodies[0].rows) {
      const text = folded(row.textContent);
      row.hidden = !wanted.every((part) => text.includes(part));
    }
  };
  input.addEventListener("input", apply);
  // Something may have been typed before the script was there.
  apply();
  // Rows that come while somebody looks are filtered as well.
  new MutationObserver(apply).observe(table.tBodies[0], { childList: true });
}

// Which columns are shown is remembered for this list in this browser.
function columns(table, menu) {
  const place = `tombolo-columns:${location.pathname.replace(/^\/dashboard\/[^/]+/, "")}`;
  const headings = [...table.tHead.rows[0].cells];
  const list = menu.querySelector("ul");
  let left;
  try {
    left = new Set(JSON.parse(localStorage.getItem(place) ?? "[]"));
  } catch {
    left = new Set();
  }
  const apply = () => {
    for (const row of table.rows) for (const cell of row.cells) cell.hidden = left.has(cell.cellIndex);
  };
  for (const heading of headings.slice(1)) {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: !left.has(heading.cellIndex) });
    const label = document.createElement("label");
    label.className = "check";
    label.append(box, heading.textContent.trim());
    box.addEventListener("change", () => {
      if (box.checked) left.delete(heading.cellIndex);
      else left.add(heading.cellIndex);
      try {
        localStorage.setItem(place, JSON.stringify([...left]));
      } catch {
        // Without a place to remember, it holds for this page.
      }
      apply();
    });
    const item = document.createElement("li");
    item.append(label);
    list.append(item);
  }
  apply();
}
