// Ctrl-K goes anywhere: to the parts of the dashboard, to where this tab was last, and to what the server finds.
const RECENT = "tombolo-recent";
const RECENT_MAX = 5;

const palette = document.querySelector("[data-palette-dialog]");
const opener = document.querySelector("[data-palette]");
const input = palette?.querySelector("[data-palette-input]");
const list = palette?.querySelector("[data-palette-list]");
const none = palette?.querySelector("[data-palette-none]");
const parts = [...(list?.children ?? [])];
const icons = parts[0]?.querySelector("use").getAttribute("href").split("#")[0];
let asked;
let at = 0;

// Only this tab knows, and only until it is closed.
function recent() {
  try {
    return JSON.parse(sessionStorage.getItem(RECENT) ?? "[]").filter(({ address }) => address !== here());
  } catch {
    return [];
  }
}

const here = () => location.pathname + location.search;

function remember() {
  const text = document.querySelector("main h1")?.textContent.trim();
  if (!text || parts.some((part) => part.getAttribute("href") === here())) return;
  // The same page with other filters, or after something was done there, is the same page to whoever looks for it.
  const others = recent().filter((one) => one.text !== text);
  const all = [{ address: here(), text }, ...others].slice(0, RECENT_MAX + 1);
  try {
    sessionStorage.setItem(RECENT, JSON.stringify(all));
  } catch {
    // Without a place to remember, nothing is remembered.
  }
}

const folded = (text) => text.normalize("NFKC").toLowerCase();

function line({ address, text, note, icon }) {
  const made = parts[0].cloneNode(true);
  made.href = address;
  made.querySelector("span").textContent = text;
  made.querySelector("use").setAttribute("href", `${icons}#${icon}`);
  if (note) made.append(Object.assign(document.createElement("small"), { textContent: note, className: "quiet" }));
  return made;
}

function show(lines) {
  list.replaceChildren(...lines);
  for (const [index, one] of lines.entries()) one.id = `palette-${index}`;
  none.hidden = lines.length > 0;
  choose(0);
}

function choose(index) {
  const lines = [...list.children];
  at = Math.max(0, Math.min(index, lines.length - 1));
  for (const [number, one] of lines.entries()) one.setAttribute("aria-selected", String(number === at));
  lines[at]?.scrollIntoView({ block: "nearest" });
  if (lines[at]) input.setAttribute("aria-activedescendant", lines[at].id);
  else input.removeAttribute("aria-activedescendant");
}

async function look() {
  const text = input.value.trim();
  const wanted = folded(text);
  const fitting = parts.filter((part) => folded(part.textContent).includes(wanted));
  asked?.abort();
  if (!wanted) return show([...recent().map((one) => line({ ...one, note: list.dataset.recent, icon: "jobs" })), ...parts]);
  show(fitting);
  asked = new AbortController();
  const { signal } = asked;
  await new Promise((resolve) => setTimeout(resolve, 120));
  if (signal.aborted) return undefined;
  try {
    const answer = await fetch(`${palette.dataset.find}?q=${encodeURIComponent(text)}`, { signal });
    const found = answer.ok ? await answer.json() : [];
    const chosen = at;
    show([...fitting, ...found.map(line)]);
    choose(chosen);
  } catch {
    // The parts that were there from the beginning stay.
  }
  return undefined;
}

function open() {
  input.value = "";
  look();
  palette.showModal();
}

if (palette && opener) {
  remember();
  opener.classList.add("ready");
  opener.addEventListener("click", open);
  input.addEventListener("input", look);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      choose(at + step);
    } else if (event.key === "Enter") {
      list.children[at]?.click();
    }
  });
  palette.addEventListener("click", (event) => {
    if (event.target === palette) palette.close();
  });
  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (palette.open) palette.close();
    else open();
  });
}
