// Texts that would do harm if a page took them for anything but text, wherever somebody can put one: in provider files, names
// of integrations, people and connections, and in what is typed.
import assert from "node:assert/strict";

import { eventually } from "./driver/eventually.mjs";
import { api, unique, url } from "./driver/server.mjs";
import { run, step } from "./driver/suite.mjs";
import { admin, call, DEAD_JOB, invited, logged, SECRETS, session, signIn } from "./world.mjs";

/** Markup, quotes, another direction that is not closed, several characters in one picture, and no place to break a line. */
const BAD = `<script>window.owned=1</script><img src=x onerror=window.owned=1>"'>&lt;b&gt; </textarea></select>{{7*7}} שלום‮ 😀👩‍👩‍👧 `;
const LONG = `\u200b${"W".repeat(80)}`;
const hostile = (name) => `${name} ${BAD}${LONG}`;

await api("POST", "/integrations", { provider: "kintone", unique_key: "named", display_name: hostile("integration").slice(0, 200) });

/** The page shows the texts as they are, and nothing in them has had an effect. */
async function expectHarmless(tab, ...texts) {
  for (const text of texts) await tab.expectText(text);
  assert.equal(await tab.page.evaluate(() => window.owned), undefined);
  const foreign = await tab.page.$$eval("script:not([src]), img[src=x]", (all) => all.map((one) => one.outerHTML));
  assert.deepEqual(foreign, []);
  for (const width of [1280, 320]) {
    await tab.look({ theme: "light", width });
    await tab.expectNoViolations();
  }
}

/** A text as a browser shows it: several blanks are one. */
const start = (name) => `${name} ${BAD}`.trim();

const somebody = {
  end_user: { id: "u-1", display_name: hostile("user").slice(0, 200) },
  organization: { id: "o-1", display_name: hostile("organization").slice(0, 200) },
};

step("a provider file, people and integrations in the list to choose from", async (browsers) => {
  for (const browser of Object.values(browsers)) {
    const tab = await (await browser.person()).tab();
    await tab.open((await session({ ...somebody, allowed_integrations: ["hostile", "named", "kintone"] })).link);
    await expectHarmless(tab, start("name"), start("description"), start("integration"), start("user"), start("organization"));
  }
});

step("a provider file in a form, with its faults and a test that fails", async (browsers) => {
  for (const browser of Object.values(browsers)) {
    const tab = await (await browser.person()).tab();
    await tab.open((await session({ ...somebody, allowed_integrations: ["hostile"] })).link);
    await tab.page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
    const texts = ["label", "help", "step", "prefix", "suffix", "region", "choice", "scheme", "explain", "token"];
    await expectHarmless(tab, ...texts.map(start));
    await (await tab.expect("input[name='c.subdomain']")).type("acme");
    await (await tab.expect("input[name='s.api_token.token']")).type("nothing");
    await tab.press({ en: "Test", ja: "テスト" });
    await tab.expectText({ en: "Connection unavailable", ja: "接続できません" });
    await expectHarmless(tab);
  }
});

for (const script of [true, false]) {
  step(`what somebody types, ${script ? "with" : "without"} a script`, async ({ en }) => {
    const tab = await (await en.person({ script })).tab();
    await tab.open((await session()).link);
    const name = unique(`${BAD}`.slice(0, 200));
    const put = async (selector, text) => {
      const field = await tab.expect(selector);
      await field.evaluate((input, text) => (input.value = text), text);
    };
    await put("#name", name);
    await put("input[name='c.subdomain']", hostile("typed"));
    await put("input[name='s.api_token.app']", hostile("app"));
    await put("input[name='s.api_token.token']", hostile("token"));
    await tab.press("Create");
    await tab.expect("[aria-invalid=true]");
    await tab.page.setJavaScriptEnabled(true);
    await expectHarmless(tab);
    await put("input[name='c.subdomain']", "demo");
    await put("input[name='s.api_token.app']", "1");
    await put("input[name='s.api_token.token']", SECRETS[0]);
    await tab.press("Create");
    await tab.expectText("You are now connected to Kintone");
    await expectHarmless(tab, name.replaceAll(/\s+/g, " ").trim());
  });
}

step("what stands in an address", async ({ en }) => {
  const tab = await (await en.person()).tab();
  const query = encodeURIComponent(hostile("query"));
  for (const address of [
    `${url}/connect/${query}/`,
    `${url}/connect/default/?session_token=${query}`,
    `${url}/connect/default/?lang=${query}&theme=${query}&integration=${query}&apiURL=${query}`,
    `${(await session()).link}&integration=${query}`,
    `${url}/oauth/start/${query}`,
  ]) {
    await tab.open(address);
    await expectHarmless(tab);
  }
});

/** Things of every kind with hostile texts wherever a text can be; answers their pages, and the text that each has to show. */
async function stored() {
  const { connection_id, provider_config_key } = await linkedByPerson();
  const { id } = await api("PATCH", `/connections/${connection_id}?provider_config_key=${provider_config_key}`, {
    tags: { team: cut("tag", 255) },
  }).then(() => connectionOf(connection_id));
  await api("POST", "/connections/metadata", { connection_id, provider_config_key, metadata: { note: cut("metadata", 5000) } });
  await call(`/k/v1/${encodeURIComponent(cut("path", 300))}.json?${encodeURIComponent(cut("query", 100))}=1`, { connection_id, provider_config_key });
  const client = await api("POST", "/oauth-clients", { name: cut("client", 255), provider: "kintone", config: { subdomain: "demo" } });
  await api("POST", "/api-keys", { display_name: cut("key", 255), scopes: ["environment:*"] });
  const webhook = await api("POST", "/webhooks", { name: cut("webhook", 255), url: `https://hooks.example.com/broken/${"W".repeat(1500)}?q=%22%3E%3Cscript%3E` });
  await api("POST", `/webhooks/${webhook.id}/test`);
  const delivery = await eventually("it is tried", async () =>
    (await api("GET", `/webhook-deliveries?webhook=${webhook.id}`)).deliveries.find(({ attempts }) => attempts > 0));
  const recipient = await api("POST", "/notification-recipients", { name: cut("recipient", 255), channel: "mail", address: "somebody@example.com" });
  const { login } = await invited("member", cut("member", 100));
  await api("POST", "/provider-requests", { provider: "oomnitza", reason: cut("reason", 255) });
  await api("PATCH", "/environment", { connect_ui: { display_name: cut("brand", 100) } });
  await logged("/k/v1/path");
  const { name, value } = await admin();
  const list = await fetch(`${url}/dashboard/default/activity?path=/k/v1/path`, { headers: { cookie: `${name}=${value}` } });
  const [, reference] = /\/activity\/([^"?/]+)"><code/.exec(await list.text());
  return [
    [""],
    ["/connections", "connection", "tag", "user"],
    [`/connections/${id}`, "connection", "user"],
    [`/connections/${id}/account`, "connection"],
    [`/connections/${id}/delete`, "connection"],
    ["/connections/new"],
    ["/connections/new/hostile", "name", "label"],
    [`/connections?search=${encodeURIComponent(BAD)}&tag=${encodeURIComponent(BAD)}`],
    ["/integrations", "integration", "client"],
    ["/integrations/named", "integration"],
    ["/integrations/named/delete", "integration"],
    [`/oauth-clients/${client.id ?? encodeURIComponent(client.name)}`, "client"],
    ["/catalog", "reason"],
    [`/catalog?search=${encodeURIComponent(BAD)}`],
    ["/activity", "connection"],
    [`/activity?path=${encodeURIComponent(BAD)}&connection=${encodeURIComponent(BAD)}`],
    [`/activity/${reference}`],
    ["/jobs"],
    [`/jobs/${DEAD_JOB}`],
    ["/webhooks", "webhook"],
    [`/webhooks/${webhook.id}`, "webhook"],
    [`/webhooks/${webhook.id}/delete`, "webhook"],
    ["/webhooks/deliveries", "webhook"],
    [`/webhooks/deliveries/${delivery.id}`, "webhook"],
    ["/settings"],
    ["/settings/notifications", "recipient"],
    [`/settings/notifications/${recipient.id}`, "recipient"],
    ["/api-keys", "key"],
    ["/audit", "connection", "client", "key", "webhook", "recipient"],
    ["/environments"],
    [`/${encodeURIComponent(BAD)}`],
    [`/connections/${encodeURIComponent(BAD)}`],
    ["../users"],
    ["../../profile"],
    ["../../docs/search?q=" + encodeURIComponent(hostile("search"))],
  ].map(([path, ...names]) => [new URL(`${url}/dashboard/default${path.startsWith("..") ? `/${path}` : path}`).href, names, login]);
}

/** A text of at most so many characters that begins with what is hostile. */
const cut = (name, most) => Array.from(`${hostile(name)}${"W".repeat(5000)}`).slice(0, most).join("");

/** An account that somebody with a hostile name has linked under another one. */
async function linkedByPerson() {
  const { token } = await session({ ...somebody, allowed_integrations: ["kintone"] });
  const name = cut("connection", 255);
  const body = new FormData();
  const typed = { session_token: token, integration: "kintone", name, scheme: "api_token", "c.subdomain": "demo", "c.domain": "kintone.com", "s.api_token.app": "1", "s.api_token.token": SECRETS[0] };
  for (const [field, value] of Object.entries(typed)) body.set(field, value);
  const answer = await fetch(`${url}/connect/default/link`, { method: "POST", body, headers: { accept: "application/x-ndjson" } });
  const last = JSON.parse((await answer.text()).trim().split("\n").at(-1));
  assert.equal(last.type, "linked", JSON.stringify(last));
  return { connection_id: last.connectionId, provider_config_key: last.providerConfigKey };
}

async function connectionOf(connection_id) {
  const { connections } = await api("GET", "/connections");
  return connections.find((one) => one.connection_id === connection_id);
}

step("whatever is stored, on every page of the dashboard", async ({ en, ja }) => {
  const pages = await stored();
  const look = async (browser, mine) => {
    const person = await browser.person();
    await signIn(person);
    const tab = await person.tab();
    const faults = [];
    for (const [address, names] of mine) {
      await tab.open(address);
      await expectHarmless(tab, ...names.map(start)).catch((error) => faults.push(`${address}: ${error.message.slice(0, 600)}`));
    }
    if (faults.length > 0) throw new Error(faults.join("\n\n"));
  };
  await Promise.all([look(en, pages.filter((_, index) => index % 2)), look(ja, pages.filter((_, index) => !(index % 2)))]);
});

step("the name of the application that people link their accounts to", async (browsers) => {
  for (const browser of Object.values(browsers)) {
    const tab = await (await browser.person()).tab();
    await tab.open((await session(somebody)).link);
    await expectHarmless(tab, start("user"));
  }
});

await run();
