// The dashboard: what a script adds. Every page works without it.
export function showTimes(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    time.textContent = at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: time.dataset.local || "short" });
    time.title = time.dateTime;
  }
}
showTimes(document);

for (const button of document.querySelectorAll("[data-copy]")) {
  const before = button.textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
    button.textContent = button.dataset.done;
    setTimeout(() => (button.textContent = before), 2000);
  });
}

for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", (event) => event.submitter?.setAttribute("aria-busy", "true"));
}

// Tables are sorted by the column whose heading is pressed.
for (const table of document.querySelectorAll("table[data-sortable]")) {
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
      const value = (row) => {
        const cell = row.cells[heading.cellIndex];
        return cell.querySelector("time")?.dateTime ?? cell.textContent.trim();
      };
      const order = new Intl.Collator(document.documentElement.lang, { numeric: true });
      const rows = [...body.rows].sort((one, other) => order.compare(value(one), value(other)));
      body.append(...(down ? rows.reverse() : rows));
    });
  }
}

// Ctrl-K goes anywhere; / goes to the search of the page.
const palette = document.querySelector("[data-palette-dialog]");
const opener = document.querySelector("[data-palette]");
if (palette && opener) {
  const input = palette.querySelector("[data-palette-input]");
  const lines = [...palette.querySelectorAll("[data-palette-list] > li")];
  const show = () => {
    const wanted = input.value.normalize("NFKC").toLowerCase();
    let first;
    for (const line of lines) {
      line.hidden = !line.textContent.normalize("NFKC").toLowerCase().includes(wanted);
      line.classList.remove("is-first");
      if (!line.hidden) first ??= line;
    }
    first?.classList.add("is-first");
  };
  const open = () => {
    input.value = "";
    show();
    palette.showModal();
  };
  opener.hidden = false;
  opener.addEventListener("click", open);
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) palette.querySelector(".is-first a")?.click();
  });
  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      open();
    } else if (event.key === "/" && !event.target.closest("input, textarea, select, [contenteditable]")) {
      const search = document.querySelector("[data-slash]");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    }
  });
}
