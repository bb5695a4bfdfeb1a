// The dashboard, for somebody who is signed in: what it does while they look, what they may not do, and what others try in their
// name.
import assert from "node:assert/strict";
import http from "node:http";

import { closeSites, site } from "./driver/embedder.mjs";
import { eventually } from "./driver/eventually.mjs";
import { Keyboard } from "./driver/keyboard.mjs";
import { press } from "./driver/press.mjs";
import { api, unique, url } from "./driver/server.mjs";
import { run, step } from "./driver/suite.mjs";
import { wantedPages } from "./pages.mjs";
import {
  LATER_JOB, LOGIN, WAITING_JOB, call, connection, cookieOf, decide, invited, link, linked, receiving, recipient, registered, signIn,
} from "./world.mjs";

const HOME = `${url}/dashboard/default`;
const stranger = await site({ "/": `<h1>Elsewhere</h1><main></main>` });
await api("PATCH", "/environment", { allowed_origins: [stranger] });
/** Pages that somebody comes to by an address alone. */
const pagesOf = (role) => wantedPages().filter((entry) => entry.as === role && !entry.reach && !entry.alone);

/** Somebody's tab at a page of the dashboard. */
async function at(browser, path, role = "admin", options = {}) {
  const person = await browser.person(options);
  await signIn(person, role);
  return (await person.tab()).open(`${HOME}${path}`);
}

/** Does something in both languages at the same time. */
const inBoth = (browsers, act) => Promise.all(Object.values(browsers).map(act));

for (const script of [true, false]) {
  step(`a connection is tested and made, ${script ? "with" : "without"} a script`, (browsers) =>
    inBoth(browsers, async (browser) => {
      const name = unique("Made");
      const tab = await at(browser, "/connections/new/kintone", "admin", { script });
      await tab.type({ en: "Connection name", ja: "接続名" }, name);
      await tab.type({ en: "Subdomain", ja: "サブドメイン" }, "demo");
      const secrets = async () => {
        await tab.press({ en: "Login name and password", ja: "ログイン名とパスワード" });
        await tab.type({ en: "Login name", ja: "ログイン名" }, LOGIN.name);
        await tab.type({ en: "Password", ja: "パスワード" }, LOGIN.password);
      };
      await secrets();
      await tab.press({ en: "Test", ja: "テスト" });
      await tab.expectText({ en: "Connection available", ja: "接続できます" });
      assert.equal(await connection(name), undefined, "a test stores nothing");
      // With a script what was typed stays; a page that is made anew never has a secret in it.
      if (!script) await secrets();
      await tab.press({ en: "Create", ja: "接続を作成" });
      await tab.expectText(name);
      await tab.expect("main h1");
      const made = await connection(name);
      assert.ok(made);

      await tab.press({ en: "Change the account", ja: "アカウントを変更" });
      await tab.expectValue({ en: "Subdomain", ja: "サブドメイン" }, "demo");
      assert.equal(await tab.page.$eval("#s-password-password-0", (input) => input.value), "", "no secret is shown");
      await tab.type({ en: "Login name", ja: "ログイン名" }, "somebody.else");
      await tab.type({ en: "Password", ja: "パスワード" }, LOGIN.password);
      await tab.press({ en: "Save", ja: "保存" });
      await tab.expect("[data-other-account]:not([hidden])");
      await tab.expect("form:not(:has([aria-busy=true]))[data-account]");
      await tab.type({ en: "Login name", ja: "ログイン名" }, LOGIN.name);
      await tab.type({ en: "Password", ja: "パスワード" }, LOGIN.password);
      await tab.press({ en: "Save", ja: "保存" });
      await tab.expectText({ en: "Calls use the new credentials from now on", ja: "新しい認証情報が使われます" });
      assert.equal((await connection(name)).id, made.id);
    }),
  );
}

step("a link is handed to a person, who tells the code that confirms their account", async ({ en, ja }) => {
  const name = unique("Told");
  const agreed = async (address) => {
    const tab = await (await (await ja.person()).tab()).open(address);
    await tab.press({ ja: "次へ進む" });
    await decide(tab);
    return (await tab.expect("strong.told")).evaluate((code) => code.textContent);
  };
  const confirm = async (tab, code) => {
    await tab.type("Code", code);
    await tab.press("Confirm");
    await tab.expectText(name);
    await tab.expect("form[action$='/link']");
  };
  const code = await agreed((await link({ name })).url);
  const tab = await at(en, "/connections");
  await tab.press("Look at it");
  await confirm(tab, code);
  const made = await connection(name);
  await tab.press("Make a reconnect link");
  const address = await (await tab.expect(".notice.good code")).evaluate((one) => one.textContent);
  const again = await agreed(address);
  await tab.press("Accounts to confirm");
  await confirm(tab, again);
  await tab.expectText("Calls use the new credentials from now on");
  assert.equal((await connection(name)).id, made.id);
});

step("a call shows in the list while somebody looks, and no page is loaded for it", (browsers) =>
  inBoth(browsers, async (browser) => {
    const path = `/k/v1/app.json?id=1&live=${browser.language}`;
    const tab = await at(browser, "/activity");
    const live = { en: "Live", ja: /^(ライブ|リアルタイム)/ };
    await tab.press(live);
    await tab.page.evaluate(() => (window.here = true));
    const rows = () => tab.page.$$eval("[data-rows] > tr", (all) => all.map((row) => row.dataset.row));
    const before = await rows();
    await call(path, await linked());
    const added = await eventually("a row is added", async () => (await rows()).find((row) => !before.includes(row)));
    assert.ok(await tab.page.evaluate(() => window.here), "it is still the same page");
    assert.equal(await tab.page.$eval("[aria-pressed]", (button) => button.ariaPressed), "true");
    // What comes next would push the row down; whoever wants to look at one has the list stand still.
    await tab.press(live);
    await tab.pressOn(`[data-row="${added}"] a.path`);
    await tab.expect(".waterfall");
  }),
);

step("a job's page shows by itself how the job goes on and ends", async ({ en, ja }) => {
  const [ended, waiting] = [await at(en, `/jobs/${LATER_JOB}`), await at(ja, `/jobs/${WAITING_JOB}`)];
  await ended.expectText("Waiting");
  await ended.page.evaluate(() => (window.here = true));
  await api("POST", `/jobs/${LATER_JOB}/cancel`);
  await ended.expectText("Cancelled");
  assert.ok(await ended.page.evaluate(() => window.here), "it is still the same page");
  await ended.press(/^(Try|Begin|Run|Retry)/);
  await ended.expectText("Done");
  await api("POST", `/jobs/${WAITING_JOB}/cancel`);
  await waiting.expect("form[action$='/retry']");
});

step("what is to be copied is copied", async ({ en }) => {
  const person = await en.person();
  await person.context.overridePermissions(url, ["clipboard-read", "clipboard-sanitized-write"]);
  await signIn(person);
  const tab = await person.tab();
  await linked();
  for (const path of ["", `/connections/${(await linked()).id}`, `/oauth-clients/${encodeURIComponent(await registered())}`]) {
    await tab.open(`${HOME}${path}`);
    const button = await tab.expect(".code [data-copy].ready");
    const wanted = await button.evaluate((one) => one.parentElement.querySelector("code").textContent);
    // It says so for two seconds.
    await button.evaluate((one) => {
      const look = () => (one.hasSaidSo ||= one.textContent === one.dataset.done);
      new MutationObserver(look).observe(one, { childList: true, characterData: true, subtree: true });
    });
    await press(button);
    await eventually("the button says so", () => button.evaluate((one) => one.hasSaidSo));
    assert.equal(await tab.page.evaluate(() => navigator.clipboard.readText()), wanted);
    assert.ok(wanted.length > 10);
  }
});

step("Ctrl-K leads anywhere by keyboard alone, and Escape back", (browsers) =>
  inBoth(browsers, async (browser) => {
    const tab = await at(browser, "");
    const open = async () => {
      await tab.page.keyboard.down("Control");
      await tab.keys("k");
      await tab.page.keyboard.up("Control");
      await tab.expect("dialog[open]");
    };
    await open();
    await tab.keys("Escape");
    await eventually("it has closed", async () => !(await tab.page.$("dialog[open]")));
    await open();
    await tab.page.keyboard.type("webhook");
    await tab.keys("Enter");
    await eventually("it has gone there", () => tab.page.url() === `${HOME}/webhooks`);
    await tab.open(`${HOME}/connections`);
    await tab.keys("/");
    assert.equal(await tab.page.evaluate(() => document.activeElement.id), "search");
  }),
);

step("whoever has a keyboard and nothing else makes an API key and takes it back", async ({ en }) => {
  const name = unique("Keys");
  const tab = await at(en, "/api-keys");
  const hands = new Keyboard(tab);
  await hands.type("Name", name);
  await hands.press(/^Create/);
  await tab.expect(".notice.good pre");
  const key = () => api("GET", "/api-keys").then(({ api_keys, data }) => (api_keys ?? data).find((one) => one.display_name === name));
  assert.ok(await key());
  await hands.press(`Revoke ${name}`);
  await eventually("the key is revoked", async () => {
    const found = await key();
    return !found || found.revoked_at;
  });
});

/** What a path with parameters stands for, with things that there are. */
async function filled(path) {
  const { id: user } = await somebody();
  const things = [
    ["connections/", (await linked()).id],
    ["oauth-clients/", encodeURIComponent(await registered())],
    ["integrations/", "kintone"],
    ["connections/new/", "kintone"],
    ["catalog/", "hostile"],
    ["webhooks/deliveries/", (await receiving()).delivery],
    ["webhooks/", (await receiving()).id],
    ["notifications/", (await recipient()).id],
    ["jobs/", WAITING_JOB],
    ["users/", user],
  ];
  return path
    .replace("{environment}", "default")
    .replace(/([\w-]+\/(?:new\/|deliveries\/)?)\{\w+\}/, (_, part) => part + (things.find(([known]) => known === part)?.[1] ?? "x_0"));
}
let known;
const somebody = () => (known ??= invited("member", "Dora"));
/** Where forms of the dashboard go to that change something; those that let somebody in are not for whoever is signed in. */
const ROUTES = JSON.parse(process.env.ROUTES).filter((path) => !["/setup", "/sign-in", "/invitation"].includes(path));
const ACTIONS = await Promise.all(ROUTES.map(filled));
const isAction = (address) => {
  const { pathname } = new URL(address, url);
  return ROUTES.some((route) => new RegExp(`^${route.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(pathname));
};
/** What everybody may do for themselves. */
const OWN = /^\/(sign-out|profile(\/.*)?|dashboard\/environment|dashboard\/default\/settings\/appearance)$/;
/** What only reads what is sent. */
const READS = /\/(paste|places)$/;
/** What members may do beside that. */
const OF_MEMBERS = /^\/dashboard\/default\/(connections\/.+|catalog\/[^/]+)$/;

/** One request as a browser sends it. On a connection of its own: a server that refuses before it has read a body closes it. */
async function send(address, method, headers, body) {
  const form = body && new Response(body);
  const bytes = form && Buffer.from(await form.arrayBuffer());
  const kind = form && { "content-type": form.headers.get("content-type") ?? "text/plain", "content-length": bytes.length };
  return new Promise((resolve, reject) => {
    const sent = http.request(new URL(address, url), { method, agent: false, headers: { ...headers, ...kind } });
    sent.on("response", async (answer) => {
      let text = "";
      for await (const part of answer.setEncoding("utf8")) text += part;
      resolve({ status: answer.statusCode, headers: answer.headers, text });
    });
    sent.on("error", reject);
    sent.end(bytes);
  });
}

const statusOf = async (address, method, body, headers) => (await send(address, method, headers, body)).status;

/** A page as somebody's browser is given it. */
async function pageFor(role, address) {
  const { name, value } = await cookieOf(role);
  return send(address, "GET", { cookie: `${name}=${value}`, "sec-fetch-mode": "navigate", "accept-language": "en" });
}

/** Where the forms of a page post to. */
const actionsOn = (address, text) =>
  [...text.matchAll(/<form\b[^>]*method="post"[^>]*>/g)].map(([tag]) => new URL(/action="([^"]*)"/.exec(tag)?.[1] ?? address, address).pathname);

step("no page shows it in a frame, not even one that may show the Connect UI", async ({ en }) => {
  const pages = pagesOf("admin");
  for (const entry of pages) {
    const address = await entry.address("en");
    const { headers } = await pageFor("admin", address);
    assert.equal(headers["x-frame-options"], "DENY", address);
    assert.match(headers["content-security-policy"], /frame-ancestors 'none'/, address);
  }
  for (const path of ["", "/connections", "/settings"]) {
    const tab = await at(en, "");
    tab.expectComplaint(/frame-ancestors|X-Frame-Options/i);
    await tab.open(`${stranger}/`);
    const answered = tab.page.waitForResponse((response) => response.url().startsWith(`${HOME}${path}`));
    await tab.page.evaluate((src) => {
      document.querySelector("main").replaceChildren(Object.assign(document.createElement("iframe"), { src }));
    }, `${HOME}${path}`);
    await answered;
    await eventually("the frame is refused", () => tab.page.frames().some((frame) => frame.url().startsWith("chrome-error://")));
  }
  console.log(`# ${pages.length} pages`);
});

step("whatever can be changed, pages of other sites cannot", async () => {
  const { name, value } = await cookieOf("admin");
  const before = await everything();
  const token = await formToken("admin");
  const forged = { "sec-fetch-site": "cross-site", origin: stranger };
  const own = { "sec-fetch-site": "same-origin", origin: url };
  const senders = [
    [forged, token],
    [{ "sec-fetch-site": "same-site", origin: stranger }, token],
    [{ "sec-fetch-site": "none" }, token],
    [{ origin: "null" }, token],
    [{ origin: stranger }, token],
    [own, ""],
    [own, "guessed"],
  ];
  let sent = 0;
  for (const action of ACTIONS) {
    const attempts = senders.flatMap(([headers, form_token]) =>
      bodies({ form_token, name: "forged", press: "untested", enabled: "no" }).map((body) => ["POST", headers, body]),
    );
    const others = ["PUT", "PATCH", "DELETE"].map((method) => [method, forged, new URLSearchParams({ form_token: token })]);
    for (const [method, headers, body] of [...attempts, ...others]) {
      const status = await statusOf(action, method, body, { ...headers, cookie: `${name}=${value}` });
      assert.ok(status >= 400 && status < 500, `${method} ${action} ${JSON.stringify(headers)}: ${status}`);
      sent += 1;
    }
  }
  console.log(`# ${sent} requests to ${ACTIONS.length} routes changed nothing`);
  assert.deepEqual(await everything(), before);
});

step("no page has a form that goes to another route than those that are known here", async () => {
  let forms = 0;
  for (const role of ["admin", "member", "viewer"]) {
    for (const entry of pagesOf(role)) {
      const address = await entry.address("en");
      for (const action of actionsOn(address, (await pageFor(role, address)).text)) {
        assert.ok(isAction(action), `${action} on ${address}`);
        forms += 1;
      }
    }
  }
  assert.ok(forms > 100, `${forms}`);
});

for (const role of ["member", "viewer"]) {
  const isTheirs = (action) => OWN.test(action) || (role === "member" && OF_MEMBERS.test(action));
  step(`a ${role} finds no button for what is not theirs, and what they send all the same changes nothing`, async () => {
    const wrong = [];
    for (const entry of [...pagesOf(role), ...pagesOf("admin").filter(({ area }) => area === "dashboard")]) {
      const address = await entry.address("en");
      const { text, status } = await pageFor(role, address);
      if (status >= 500) wrong.push(`${address}: ${status}`);
      wrong.push(...actionsOn(address, text).filter((action) => !isTheirs(action)).map((action) => `${action} on ${address}`));
    }
    const { name, value } = await cookieOf(role);
    const headers = { "sec-fetch-site": "same-origin", origin: url, cookie: `${name}=${value}` };
    const form_token = await formToken(role);
    const before = await everything();
    const fields = {
      form_token, name: unique("theirs"), display_name: "theirs", login: "theirs@example.com", role: "admin", press: "untested",
      url: "https://hooks.example.com/in", channel: "mail", address: "theirs@example.com", enabled: "no", decision: "grant", span: "24",
    };
    const refused = ACTIONS.filter((action) => !isTheirs(action) && !READS.test(action));
    for (const action of refused) {
      const statuses = [];
      for (const body of [new URLSearchParams(fields), bodies(fields)[0]]) statuses.push(await statusOf(action, "POST", body, headers));
      const isRefused = statuses.every((status) => status >= 400 && status < 500) && statuses.includes(403);
      if (!isRefused) wrong.push(`${action}: ${statuses}`);
    }
    assert.deepEqual(wrong, []);
    console.log(`# ${refused.length} routes are refused to a ${role}`);
    assert.deepEqual(await everything(), before);
  });
}

/** The same fields in every form that a page of another site could send, and in one that it could not. */
function bodies(fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  const text = new URLSearchParams(fields);
  return [form, text, new Blob([text.toString()], { type: "text/plain" }), new Blob([JSON.stringify(fields)], { type: "application/json" })];
}

async function formToken(role) {
  const { text } = await pageFor(role, `${url}/profile`);
  return /name="form_token" value="([^"]+)"/.exec(text)[1];
}

/** All that a form could have changed, as the API tells it; but for what the server writes by itself. */
async function everything() {
  const paths = ["/connections", "/integrations", "/oauth-clients", "/api-keys", "/users", "/environment", "/webhooks", "/notification-recipients", "/provider-requests", `/jobs/${WAITING_JOB}`, "/audit"];
  const all = await Promise.all(paths.map((path) => api("GET", path)));
  return JSON.parse(JSON.stringify(all, (key, value) => (/last_used|last_seen|seen_at|^sequence$|hash/.test(key) ? undefined : value)));
}

await run(closeSites);
