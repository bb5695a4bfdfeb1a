// The Connect UI: what a script adds. Everything but frames and windows works without it.
import { complete, copyOf, fields, mark, refused, word } from "./account-form.js";
import { oneByOne, runTest } from "./account-test.js";
import { choosingClients } from "./account-clients.js";
import { places } from "./account-places.js";
import { windowOf } from "./connect-window.js";
import { copying } from "./copy.js";

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
    button.classList.add("ready");
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

function form() {
  const sheet = document.querySelector("form[data-form]");
  let isDirty = false;
  tell("select", { providerConfigKey: main.dataset.key });
  closing(() => isDirty);
  sheet.addEventListener("input", () => { isDirty = true; });
  fields(sheet, ["session_token", "integration"]);
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
  switching(sheet);
  document.querySelector("form.switch")?.addEventListener("submit", () => { isDirty = false; });
  places(sheet, ["session_token", "integration", "lang"]);
  choosingClients(sheet, (input) => mark(input, ""));
  const press = oneByOne(sheet);
  sheet.addEventListener("submit", (event) => {
    // The Enter key presses the first button, also one that is not shown.
    const isAtVendor = sheet.querySelector('[data-at-vendor]:is(:checked, [type="hidden"])');
    if (event.submitter?.dataset.press === "client") {
      isDirty = false;
      return;
    }
    const pressed = isAtVendor ? "vendor" : (event.submitter?.dataset.press ?? "link");
    event.preventDefault();
    if (!complete(sheet)) return;
    press(sheet.querySelector(`.actions [data-press="${pressed}"]`), () => {
      tell("submit", { providerConfigKey: main.dataset.key, kind: pressed });
      if (isAtVendor) return openWindow();
      if (pressed === "test") return runTest(sheet, sheet.dataset.test, { canStop: true, on });
      return runTest(sheet, sheet.dataset.link, { on });
    });
  });

  const on = {
    stage: ({ name, outcome }) => tell("test", { stage: name, outcome }),
    report: ({ available, message, conclusion }) => {
      if (!available) tell("error", { errorType: "connection_test_failed", errorMessage: message ?? conclusion });
    },
    linked: (line) => {
      tell("connect", { providerConfigKey: line.providerConfigKey, connectionId: line.connectionId });
      celebrate(line);
    },
    problem: refuse,
  };

  function refuse(line) {
    tell("error", { errorType: line.errorType, errorMessage: refused(sheet, line) });
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
  fields(sheet, ["session_token", "integration"]);
  copying(sheet);
  places(sheet, ["session_token", "integration", "lang"]);
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
