// A connection test as it is told, line by line, while it runs: in the Connect UI and in the dashboard.
import { copyOf, credentialsOf, say, word } from "./account-form.js";

/**
 * Sends a form to an address and shows what comes back. `on` is told of it: `stage`, `report`, `linked` and `problem`, each
 * with its line. A button in the report stops a test when `canStop`; what it has asked the vendor by then is asked.
 */
export async function runTest(sheet, address, { canStop, values, on }) {
  const report = document.querySelector("[data-report]");
  const live = report.querySelector("[data-live]");
  const stop = canStop ? stopping(report) : undefined;
  say("");
  live.replaceChildren();
  report.hidden = false;
  const list = document.createElement("ol");
  list.className = "stages";
  live.append(list);
  report.scrollIntoView({ block: "nearest" });
  try {
    const answer = await fetch(address, {
      method: "POST",
      body: values ?? new FormData(sheet),
      headers: { Accept: "application/x-ndjson" },
      credentials: credentialsOf(sheet),
      redirect: "error",
      signal: stop?.signal,
    });
    const kind = answer.headers.get("content-type") ?? "";
    if (kind.startsWith("application/x-ndjson")) {
      for await (const line of linesOf(answer.body)) take(line, list, live, report, on);
    } else {
      report.hidden = true;
      if (kind.startsWith("application/json")) on.problem(await answer.json());
      else say(word("again"));
    }
  } catch {
    list.querySelector('[data-outcome="running"]')?.remove();
    if (!list.children.length) report.hidden = true;
    say(word(stop?.signal.aborted ? "cancelled" : "again"));
  } finally {
    stop?.end();
  }
}

/**
 * Has what the buttons of a form do be done one after the other: what is pressed while a test comes to its end follows it, and the
 * same button is not pressed twice.
 */
export function oneByOne(sheet) {
  let last = Promise.resolve();
  return (button, act) => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    last = last
      .then(() => (sheet.isConnected ? act() : undefined))
      .finally(() => button.removeAttribute("aria-busy"))
      .catch(() => say(word("again")));
  };
}

function take(line, list, live, report, on) {
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
    case "stage":
      show(running ?? list.appendChild(copyOf("stage")), line.stage);
      on.stage?.(line.stage);
      break;
    case "report":
      running?.remove();
      conclude(live, line);
      on.report?.(line);
      break;
    case "linked":
      on.linked(line);
      break;
    case "problem":
      running?.remove();
      if (!list.children.length) report.hidden = true;
      on.problem(line);
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

function conclude(live, { available, conclusion, rights, account }) {
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

function stopping(report) {
  const controller = new AbortController();
  const button = report.querySelector("[data-cancel]");
  button.hidden = false;
  button.onclick = () => controller.abort();
  return { signal: controller.signal, end: () => { button.hidden = true; } };
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
