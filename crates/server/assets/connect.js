// The Connect UI: what a script adds. Everything but frames and windows works without it.
import { choosingClients, copying } from "./connect-clients.js";
import { windowOf } from "./connect-window.js";

const main = document.querySelector("main[data-step]");
const origins = (main?.dataset.origins ?? "").split(" ").filter(Boolean);
const isFramed = window.parent !== window;
const around = isFramed ? window.parent : window.opener;

// Pages around this one are told what happens, if they are at an origin that the environment allows and at no other.
function originAround() {
  const nearest = window.location.ancestorOrigins?.[0];
  if (nearest) return origins.filter((origin) => origin === nearest);
  return origins;
}

function relay(message) {
  if (!around) return;
  for (const origin of originAround()) around.postMessage(message, origin);
}

const tell = (type, payload) => relay({ type, payload });

const starters = { waiting, choosing, form, client, linked, problem };

function waiting() {
  const holder = document.querySelector("form[data-token]");
  const late = setTimeout(() => {
    document.querySelector("[data-late]").hidden = false;
    tell("error", { errorType: "missing_auth_token", errorMessage: "No session token came" });
  }, 10_000);
  window.addEventListener("message", (event) => {
    if (!fromAround(event)) return;
    if (event.data?.type !== "session_token" || typeof event.data.sessionToken !== "string") return;
    clearTimeout(late);
    holder.elements.session_token.value = event.data.sessionToken;
    holder.submit();
  });
  tell("ready");
}

// The page goes away when somebody presses the button or Escape, or when the page around asks for it; what was typed is not
// lost without a question.
function closing(isDirty) {
  if (!around) return;
  const close = async () => {
    if (isDirty() && !(await leaves())) return;
    tell("close");
    if (!isFramed) window.close();
  };
  for (const button of document.querySelectorAll("[data-close]")) {
    button.hidden = false;
    button.addEventListener("click", close);
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    // Else the same key would close the question again.
    event.preventDefault();
    close();
  });
  window.addEventListener("message", (event) => {
    if (fromAround(event) && event.data?.type === "close_wanted") close();
  });
}

// Browsers show no question of their own in a frame.
function leaves() {
  const dialog = document.querySelector("dialog[data-leave]");
  if (dialog.open) return Promise.resolve(false);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((answered) => {
    dialog.addEventListener("close", () => answered(dialog.returnValue === "yes"), { once: true });
  });
}

const fromAround = (event) => event.source === around && origins.includes(event.origin);

// A page around that gives the frame as much room as it needs asks for it as the frame has loaded.
function sizing() {
  let observer;
  window.addEventListener("message", (event) => {
    if (!isFramed || !fromAround(event) || event.data?.type !== "size_wanted" || observer) return;
    observer = new ResizeObserver(() => tell("size", { height: Math.ceil(document.body.getBoundingClientRect().height) }));
    observer.observe(document.body);
  });
}

function choosing() {
  closing(() => false);
  const filters = document.querySelector("[data-filters]");
  if (!filters) return;
  filters.hidden = false;
  const folded = (text) => text.normalize("NFKC").toLowerCase();
  const search = filters.querySelector("[data-search]");
  const category = filters.querySelector("[data-category]");
  const cards = [...document.querySelectorAll("[data-cards] > li")];
  const none = document.querySelector("[data-none]");
  const show = () => {
    const wanted = folded(search.value).split(/\s+/).filter(Boolean);
    let found = 0;
    for (const card of cards) {
      const text = folded(card.dataset.text);
      const fits = wanted.every((part) => text.includes(part))
        && (!category?.value || card.dataset.categories.split(" ").includes(category.value));
      card.hidden = !fits;
      found += fits ? 1 : 0;
    }
    none.hidden = found > 0;
  };
  filters.addEventListener("input", show);
  search.focus();
}

function linked() {
  const { key, connection } = main.dataset;
  tell("connect", { providerConfigKey: key, connectionId: connection });
}

function problem() {
  closing(() => false);
  tell("error", { errorType: main.dataset.errorType, errorMessage: main.dataset.message });
}

const word = (name) => document.querySelector("[data-words]")?.content.querySelector(`[data-word="${name}"]`)?.textContent ?? "";
const copyOf = (name) => document.querySelector(`template[data-${name}]`).content.firstElementChild.cloneNode(true);

function form() {
  const sheet = document.querySelector("form[data-form]");
  const report = document.querySelector("[data-report]");
  const live = report.querySelector("[data-live]");
  let isDirty = false;
  let isRunning = false;
  tell("select", { providerConfigKey: main.dataset.key });
  closing(() => isDirty);
  sheet.addEventListener("input", (event) => {
    isDirty = true;
    if (event.target.getAttribute("aria-invalid") === "true") check(event.target);
  });
  sheet.addEventListener("focusout", (event) => {
    if (event.target.matches("input, select, textarea") && event.target.value) check(event.target);
  });
  const needsOpener = document.querySelector("[data-needs-opener]");
  if (needsOpener) needsOpener.hidden = Boolean(around);
  const openWindow = windowOf({
    sheet, main, isFramed, word, copyOf, tell, relay, refuse, celebrate,
    link: () => new URL(`${sheet.dataset.whole}/?session_token=${sheet.elements.session_token.value}`, window.location.href).href,
    leave: () => { isDirty = false; },
  });
  window.addEventListener("beforeunload", (event) => {
    if (isDirty && !isFramed) event.preventDefault();
  });
  reveal(sheet);
  rows(sheet);
  switching(sheet);
  document.querySelector("form.switch")?.addEventListener("submit", () => { isDirty = false; });
  choosingClients(sheet, (input) => mark(input, ""));
  if ("takesPasted" in sheet.dataset) pasting(sheet);

  // The Enter key of an input method chooses characters; it does not send the form.
  sheet.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.isComposing) event.preventDefault();
  });
  sheet.addEventListener("submit", async (event) => {
    // The Enter key presses the first button, also one that is not shown.
    const isAtVendor = sheet.querySelector('[data-at-vendor]:is(:checked, [type="hidden"])');
    if (event.submitter?.dataset.press === "client") {
      isDirty = false;
      return;
    }
    const pressed = isAtVendor ? "vendor" : (event.submitter?.dataset.press ?? "link");
    event.preventDefault();
    if (isRunning || !complete(sheet)) return;
    isRunning = true;
    const cancel = pressed === "test" ? cancelling(report) : undefined;
    const button = sheet.querySelector(`.actions [data-press="${pressed}"]`);
    button.setAttribute("aria-busy", "true");
    tell("submit", { providerConfigKey: main.dataset.key, kind: pressed });
    try {
      if (isAtVendor) await openWindow();
      else await run(sheet, pressed === "test" ? sheet.dataset.test : sheet.dataset.link, cancel?.signal);
    } catch {
      live.querySelector('[data-outcome="running"]')?.remove();
      say(word(cancel?.signal.aborted ? "cancelled" : "again"));
    } finally {
      isRunning = false;
      cancel?.end();
      button.removeAttribute("aria-busy");
    }
  });

  function say(text) {
    const general = document.querySelector("[data-general]");
    general.textContent = text;
    general.hidden = !text;
    if (text) general.scrollIntoView({ block: "nearest" });
  }

  async function run(sheet, address, signal) {
    say("");
    live.replaceChildren();
    report.hidden = false;
    const list = document.createElement("ol");
    list.className = "stages";
    live.append(list);
    report.scrollIntoView({ block: "nearest" });
    const answer = await fetch(address, {
      method: "POST",
      body: new FormData(sheet),
      headers: { Accept: "application/x-ndjson" },
      credentials: "omit",
      redirect: "error",
      signal,
    });
    const kind = answer.headers.get("content-type") ?? "";
    if (!kind.startsWith("application/x-ndjson")) {
      report.hidden = true;
      if (kind.startsWith("application/json")) refuse(await answer.json());
      else say(word("again"));
      return;
    }
    for await (const line of linesOf(answer.body)) take(line, list);
  }

  function take(line, list) {
    const running = list.querySelector('[data-outcome="running"]');
    switch (line.type) {
      case "started": {
        const item = copyOf("stage");
        item.dataset.outcome = "running";
        item.querySelector(".stage-name").textContent = line.name;
        item.querySelector(".visually-hidden").textContent = word("running");
        list.append(item);
        break;
      }
      case "stage": {
        const item = running ?? list.appendChild(copyOf("stage"));
        show(item, line.stage);
        tell("test", { stage: line.stage.name, outcome: line.stage.outcome });
        break;
      }
      case "report":
        running?.remove();
        conclude(line);
        if (!line.available) tell("error", { errorType: "connection_test_failed", errorMessage: line.message ?? line.conclusion });
        break;
      case "linked":
        tell("connect", { providerConfigKey: line.providerConfigKey, connectionId: line.connectionId });
        celebrate(line);
        break;
      case "problem":
        running?.remove();
        if (!list.children.length) report.hidden = true;
        refuse(line);
        break;
    }
  }

  function show(item, stage) {
    item.dataset.outcome = stage.outcome;
    item.querySelector(".stage-name").textContent = stage.name;
    item.querySelector(".visually-hidden").textContent = stage.said;
    item.querySelector(".time").textContent = stage.time;
    if (!stage.says) return;
    const verdict = copyOf("verdict");
    verdict.querySelector("[data-says]").textContent = stage.says;
    verdict.querySelector("[data-fix]").textContent = stage.fix;
    const link = verdict.querySelector("[data-link]");
    if (stage.link) link.firstElementChild.href = stage.link;
    else link.remove();
    const details = verdict.querySelector("[data-details]");
    if (stage.details) details.querySelector("code").textContent = stage.details;
    else details.remove();
    item.append(verdict);
  }

  function conclude({ available, conclusion, rights, account }) {
    const last = document.createElement("p");
    last.className = `conclusion ${available ? "good" : "bad"}`;
    last.textContent = conclusion;
    live.append(last);
    if (available && account) live.append(Object.assign(document.createElement("p"), { className: "small account", textContent: account }));
    for (const { subject, may, may_not: mayNot } of rights ?? []) {
      const line = document.createElement("p");
      line.className = "small quiet rights";
      if (subject) line.append(Object.assign(document.createElement("strong"), { textContent: `${subject} ` }));
      for (const name of may) line.append(badge(name, "good"), " ");
      for (const name of mayNot) line.append(badge(word("may-not").replace("…", name), ""), " ");
      live.append(line);
    }
    last.scrollIntoView({ block: "nearest" });
  }

  function badge(text, kind) {
    return Object.assign(document.createElement("span"), { className: `badge ${kind}`.trim(), textContent: text });
  }

  function refuse({ what, fix, fields, errorType }) {
    say("");
    let first;
    const other = document.querySelector("[data-other-account]");
    if (other && fields.some(({ code }) => code === "other_account")) other.hidden = false;
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
    tell("error", { errorType, errorMessage: what });
  }

  function celebrate(line) {
    isDirty = false;
    const done = copyOf("linked");
    done.querySelector("[data-title]").textContent = line.title;
    done.querySelector("[data-called]").textContent = line.called;
    const onward = done.querySelector("[data-onward]");
    if (line.onward && !isFramed) {
      onward.firstElementChild.href = line.onward;
      done.querySelector("[data-may-close]").remove();
    } else onward.remove();
    main.replaceChildren(done);
    delete main.dataset.waiting;
    document.title = line.title;
    done.querySelector("h1").focus();
  }
}

// An OAuth client that somebody registers or changes: a step of its own, which goes back to the form.
function client() {
  const sheet = document.querySelector("form[data-form]");
  let isDirty = false;
  closing(() => isDirty);
  sheet.addEventListener("input", () => { isDirty = true; });
  sheet.addEventListener("submit", (event) => {
    const goesBack = "back" in (event.submitter?.dataset ?? {});
    if (!goesBack && !complete(sheet)) event.preventDefault();
    else isDirty = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (isDirty && !isFramed) event.preventDefault();
  });
  reveal(sheet);
  copying(sheet);
  pasting(sheet);
}

async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    rest += value;
    const lines = rest.split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
  }
}

// What is looked at while somebody types: only whether something stands there. The server looks at the rest.
function complete(sheet) {
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

function check(input) {
  if (input.value.trim()) mark(input, "");
}

function mark(input, message) {
  input.toggleAttribute("aria-invalid", false);
  if (message) input.setAttribute("aria-invalid", "true");
  const error = document.getElementById(`${input.id}-error`);
  if (error) error.textContent = message;
}

function reveal(sheet) {
  for (const button of sheet.querySelectorAll("[data-reveal]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const input = document.getElementById(button.getAttribute("aria-controls"));
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
      button.textContent = shown ? button.dataset.hide : button.dataset.show;
    });
  }
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
function pasting(sheet) {
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
  async function fill(text, input) {
    const asked = new FormData();
    for (const name of ["session_token", "integration"]) asked.set(name, sheet.elements[name].value);
    asked.set("pasted", text);
    const answer = await fetch(sheet.dataset.paste, { method: "POST", body: asked, credentials: "omit" });
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

// A button that stops a test; what it has asked the vendor by then is asked.
function cancelling(report) {
  const controller = new AbortController();
  const button = report.querySelector("[data-cancel]");
  button.hidden = false;
  button.onclick = () => controller.abort();
  return { signal: controller.signal, end: () => { button.hidden = true; } };
}

// What was typed goes along to another form of the same vendor, but for the secrets.
function switching(sheet) {
  const other = document.querySelector("form.switch");
  other?.addEventListener("submit", () => {
    for (const input of sheet.querySelectorAll('[name="name"], [name^="c."]')) {
      if (!input.value || input.matches("[data-secret], [type=file]")) continue;
      other.append(Object.assign(document.createElement("input"), { type: "hidden", name: input.name, value: input.value }));
    }
  });
}

if (main) sizing();
if (main) starters[main.dataset.step]?.();
