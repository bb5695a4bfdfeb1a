// The dashboard, for somebody who is signed in, and what others try in their name.
import http from "node:http";
import assert from "node:assert/strict";

import { closeSites, site } from "./driver/embedder.mjs";
import { api, unique, url } from "./driver/server.mjs";
import { run, step } from "./driver/suite.mjs";
import { wantedPages } from "./pages.mjs";
import { admin, connection, LOGIN, signIn } from "./world.mjs";

const stranger = await site({ "/": `<h1>Elsewhere</h1><main></main>` });
await api("PATCH", "/environment", { allowed_origins: [stranger] });
const mine = wantedPages().filter((entry) => entry.as === "admin");

for (const script of [true, false]) {
  step(`a connection is tested and made, ${script ? "with" : "without"} a script`, (browsers) =>
    Promise.all(
      Object.values(browsers).map(async (browser) => {
        const name = unique("Made");
        const person = await browser.person({ script });
        await signIn(person);
        const tab = await person.tab();
        await tab.open(`${url}/dashboard/default/connections/new/kintone`);
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
        assert.ok(await connection(name));
      }),
    ),
  );
}

// Each request on a connection of its own: a server that refuses before it has read a body closes the connection.
async function statusOf(address, method, body, headers) {
  const form = new Response(body);
  const bytes = Buffer.from(await form.arrayBuffer());
  const type = form.headers.get("content-type") ?? "text/plain";
  return new Promise((resolve, reject) => {
    const sent = http.request(address, { method, agent: false, headers: { ...headers, "content-type": type, "content-length": bytes.length } });
    sent.on("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on("error", reject);
    sent.end(bytes);
  });
}

step("no page shows it in a frame, not even one that may show the Connect UI", async ({ en }) => {
  for (const entry of mine.filter((entry) => !entry.reach)) {
    const person = await en.person();
    await signIn(person);
    const tab = await person.tab();
    tab.expectComplaint(/frame-ancestors|X-Frame-Options/i);
    await tab.open(`${stranger}/`);
    const address = await entry.address("en");
    const answered = tab.page.waitForResponse((response) => response.url() === address);
    await tab.page.evaluate((src) => {
      document.querySelector("main").replaceChildren(Object.assign(document.createElement("iframe"), { src }));
    }, address);
    await answered;
    // Within a page of another site nobody is signed in, and the page may lead to another one. This is what it is itself.
    const { name, value } = await admin();
    const own = await fetch(address, { headers: { cookie: `${name}=${value}` }, redirect: "manual" });
    const headers = Object.fromEntries(own.headers);
    await own.arrayBuffer();
    assert.equal(headers["x-frame-options"], "DENY", address);
    assert.match(headers["content-security-policy"], /frame-ancestors 'none'/, address);
    await person.leave();
  }
});

step("whatever a form of it changes, pages of other sites cannot", async ({ en }) => {
  const person = await en.person();
  await signIn(person);
  const tab = await person.tab();
  const actions = new Set();
  for (const entry of mine.filter((entry) => !entry.reach)) {
    await tab.open(await entry.address("en"));
    const found = await tab.page.$$eval("form[method=post]", (forms) => forms.map((form) => form.action));
    for (const action of found) actions.add(action);
  }
  await person.leave();
  assert.ok(actions.size > 8, [...actions].join("\n"));
  const { name, value } = await admin();
  const before = await everything();
  const token = await formToken();
  const senders = [
    [{ "sec-fetch-site": "cross-site", origin: stranger }, token],
    [{ "sec-fetch-site": "same-site", origin: stranger }, token],
    [{ "sec-fetch-site": "none" }, token],
    [{ origin: "null" }, token],
    [{ origin: stranger }, token],
    [{ "sec-fetch-site": "same-origin", origin: url }, ""],
    [{ "sec-fetch-site": "same-origin", origin: url }, "guessed"],
  ];
  let sent = 0;
  for (const action of actions) {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      for (const [headers, form_token] of senders) {
        for (const body of bodies({ form_token, name: "forged", press: "untested", enabled: "no" })) {
          const status = await statusOf(action, method, body, { ...headers, cookie: `${name}=${value}` });
          assert.ok(status >= 400 && status < 500, `${method} ${action} ${JSON.stringify(headers)}: ${status}`);
          sent += 1;
        }
      }
    }
  }
  console.log(`# ${sent} requests to ${actions.size} forms changed nothing`);
  assert.deepEqual(await everything(), before);
});

/** The same fields in every form that a page of another site could send, and in one that it could not. */
function bodies(fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  const text = new URLSearchParams(fields);
  return [form, text, new Blob([text.toString()], { type: "text/plain" }), new Blob([JSON.stringify(fields)], { type: "application/json" })];
}

async function formToken() {
  const { name, value } = await admin();
  const page = await fetch(`${url}/profile`, { headers: { cookie: `${name}=${value}` } });
  return /name="form_token" value="([^"]+)"/.exec(await page.text())[1];
}

/** All that a form could have changed, as the API tells it. */
async function everything() {
  const paths = ["/connections", "/integrations", "/oauth-clients", "/api-keys", "/users", "/environment", "/audit"];
  const all = await Promise.all(paths.map((path) => api("GET", path)));
  return JSON.parse(JSON.stringify(all, (key, value) => (/last_used|last_seen|seen_at/.test(key) ? undefined : value)));
}

await run(closeSites);
