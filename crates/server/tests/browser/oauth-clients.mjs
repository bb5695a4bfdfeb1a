// OAuth clients in the Connect UI, for sessions that let somebody choose or register them: the redirect URI comes first, what
// the vendor shows in return goes into the form, and the next account is linked through what was registered.
import assert from "node:assert/strict";

import { closeSites, site } from "./driver/embedder.mjs";
import { eventually } from "./driver/eventually.mjs";
import { api, unique, url, vendor } from "./driver/server.mjs";
import { run, step } from "./driver/suite.mjs";
import { connection, decide, oauthClient, session, signIn } from "./world.mjs";

const embedder = await site({ "/linked": "<h1>Linked</h1>" });
const RETURN = `${embedder}/linked`;
await api("PATCH", "/environment", { return_urls: [RETURN] });

const NAME = { en: "Connection name", ja: "接続名" };
const SUBDOMAIN = { en: "Subdomain", ja: "サブドメイン" };
const BY_OAUTH = { en: /^OAuth 2\.0/, ja: /^OAuth（/ };
const CLIENT = { en: "OAuth client", ja: "OAuthクライアント" };
const REGISTER = { en: "Register an OAuth client", ja: "OAuthクライアントを登録" };
const REDIRECT_URI = { en: "Redirect URI", ja: "リダイレクトURI" };
const CLIENT_NAME = { en: "Name", ja: "名前" };
const CLIENT_ID = { en: "Client ID", ja: "クライアントID" };
const CLIENT_SECRET = { en: "Client secret", ja: "クライアントシークレット" };
const SAVE = { en: "Save", ja: "保存" };
const BACK = { en: "Back", ja: "戻る" };
const change = (name) => ({ en: `Change “${name}”`, ja: `「${name}」を変更` });
const CONTINUE = { en: "Continue to Kintone", ja: "kintoneへ進む" };
const GO_ON = { en: "Go on", ja: "次へ進む" };
const PLACE = { en: "Open the page where you find it", ja: "確認できるページを開く" };
const KEPT = { en: "One is stored. It is never shown", ja: "保存されています。表示はできません" };

/** A session for somebody of an organization, with a right. */
const opened = (right, organization, change = {}) =>
  session({ oauth_clients: right, organization: { id: organization }, return_url: RETURN, ...change });

const inBoth = (browsers, act) => Promise.all(Object.values(browsers).map(act));

/** Goes on to the page about a client. */
async function ask(tab, button) {
  await tab.press(button);
  await tab.expect("main[data-step=client]");
}

/** Saves it, and comes back to the form. */
async function save(tab) {
  await tab.press(SAVE);
  await tab.expect("main[data-step=form] .notice.good");
}

/** Registers the client that the page asks about with the vendor, and types what the vendor shows in return. */
async function register(tab, name) {
  const uri = await tab.value(REDIRECT_URI);
  assert.ok(uri.startsWith(`${url}/oauth/callback/`), uri);
  const { id, secret } = await vendor("POST", "oauth-clients", { redirect_uris: [uri] });
  await tab.type(CLIENT_NAME, name);
  await tab.type(CLIENT_ID, id);
  await tab.type(CLIENT_SECRET, secret);
  return secret;
}

/** Agrees at the vendor, comes back to the embedder, and has it confirm; the account works then. */
async function link(tab, name) {
  await tab.press(CONTINUE);
  await tab.press(GO_ON);
  await decide(tab);
  const back = await eventually("the browser does not come back", () => tab.page.url().startsWith(RETURN) && tab.page.url());
  const { authorization, proof } = Object.fromEntries(new URL(back).searchParams);
  await api("POST", `/authorizations/${authorization}/confirm`, { proof, end_user_id: "u-1" }, 201);
  const made = await connection(name);
  const answer = await fetch(`${url}/proxy/k/v1/apps.json?limit=1`, {
    headers: {
      authorization: `Bearer ${process.env.API_KEY}`,
      "connection-id": made.connection_id,
      "provider-config-key": made.provider_config_key,
    },
  });
  assert.equal(answer.status, 200, await answer.text());
}

/** The chosen entry of the list of clients, as it can be read. */
const chosen = async (tab) => (await tab.field(CLIENT)).evaluate((list) => list.selectedOptions[0].textContent);

for (const script of [true, false]) {
  step(`registered, chosen the next time, and changed ${script ? "" : "without a script"}`, (browsers) =>
    inBoth(browsers, async (browser) => {
      const organization = unique("acme");
      const client = unique(browser.language === "ja" ? "営業部のアプリ" : "Sales app");
      const first = unique("First");
      const tab = await (await browser.person({ script })).tab();
      await tab.open((await opened("manage", organization)).link);
      await tab.type(NAME, first);
      await tab.press(BY_OAUTH);
      await ask(tab, REGISTER);
      if (script) {
        await tab.expectNoViolations();
        await tab.paste(SUBDOMAIN, "https://demo.kintone.com/k/1/");
        await tab.expectValue(SUBDOMAIN, "demo");
      } else {
        await tab.type(SUBDOMAIN, "demo");
      }
      const secret = await register(tab, client);
      await save(tab);
      await tab.expectText(client);
      await tab.expectValue(NAME, first);
      await tab.expectValue(SUBDOMAIN, "demo");
      assert.match(await chosen(tab), new RegExp(client));
      assert.ok(!(await tab.page.content()).includes(secret), "the secret comes back");
      if (script) await tab.expectNoViolations();
      await link(tab, first);

      // Somebody else of the organization, who may choose and nothing else.
      const second = unique("Second");
      await tab.open((await opened("choose", organization)).link);
      await tab.type(NAME, second);
      await tab.press(BY_OAUTH);
      assert.match(await chosen(tab), new RegExp(client), "whoever has one means it");
      assert.equal(await tab.has(REGISTER), false);
      if (script) await tab.choose(CLIENT, "");
      if (script) await tab.choose(CLIENT, await idOf(client));
      else await tab.type(SUBDOMAIN, "demo");
      await tab.expectValue(SUBDOMAIN, "demo");
      await link(tab, second);

      await tab.open((await opened("manage", organization)).link);
      await tab.press(BY_OAUTH);
      await ask(tab, change(client));
      await tab.expectText(KEPT);
      assert.equal(await tab.value(CLIENT_SECRET), "");
      if (script) await tab.expectNoViolations();
      await tab.type(CLIENT_NAME, `${client} of all`);
      await save(tab);
      await tab.expectText(`${client} of all`);

      // Nobody else knows of it.
      await tab.open((await opened("manage", unique("other"))).link);
      await tab.press(BY_OAUTH);
      assert.ok(!(await tab.page.content()).includes(client), "another organization sees it");
    }),
  );
}

/** The id of a client, as the administrators see it. */
async function idOf(name) {
  const { oauth_clients: all } = await api("GET", "/oauth-clients");
  return all.find((client) => client.name === name).id;
}

step("what is wrong is said where it is wrong, and going back loses nothing", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Kept");
    const tab = await (await browser.person({ script: false })).tab();
    await tab.open((await opened("manage", unique("acme"))).link);
    await tab.type(NAME, name);
    await tab.type(SUBDOMAIN, "demo");
    await tab.press(BY_OAUTH);
    await ask(tab, REGISTER);
    await tab.expectValue(SUBDOMAIN, "demo");
    await tab.type(SUBDOMAIN, "not a subdomain");
    await tab.press(SAVE);
    await tab.expect('main[data-step=client] [name="c.subdomain"][aria-invalid="true"]');
    await tab.press(BACK);
    await tab.expect("main[data-step=form]");
    await tab.expectValue(NAME, name);
    await tab.expect('[name="scheme"][value="oauth2"]:checked');
  }),
);

step("one that an administrator registers later keeps its redirect URI", async ({ en }) => {
  const organization = unique("acme");
  const tab = await (await en.person()).tab();
  await tab.open((await opened("manage", organization)).link);
  await tab.press(BY_OAUTH);
  await ask(tab, REGISTER);
  const uri = await tab.value(REDIRECT_URI);
  await tab.type(SUBDOMAIN, "demo");
  await tab.type(CLIENT_NAME, "Later");
  await save(tab);
  await tab.expectText("Fill in its ID and secret when it is registered.");
  assert.equal(await chosen(tab), "Whichever is set up for the address");

  await tab.open((await opened("manage", organization)).link);
  await tab.press(BY_OAUTH);
  await ask(tab, change("Later"));
  assert.equal(await tab.value(REDIRECT_URI), uri);
});

step("by keyboard alone", async ({ en }) => {
  const client = unique("Keys");
  const tab = await (await en.person()).tab();
  await tab.open((await opened("manage", unique("acme"))).link);
  await tab.press(BY_OAUTH);
  await tab.tabTo(REGISTER);
  await tab.keys("Enter");
  await tab.expect("main[data-step=client]");
  await tab.tabTo(SUBDOMAIN);
  await tab.page.keyboard.type("demo");
  const secret = await register(tab, client);
  assert.ok(secret);
  await tab.tabTo(SAVE);
  await tab.keys("Enter");
  await tab.expectText(`The OAuth client “${client}” is saved, and chosen here.`);
});

for (const script of [true, false]) {
  step(`an administrator links an account of their own from the dashboard${script ? "" : ", without a script"}`, (browsers) =>
    inBoth(browsers, async (browser) => {
      const name = unique("Dashboard");
      const client = await oauthClient();
      const person = await browser.person({ script });
      await signIn(person);
      const tab = await person.tab();
      await tab.open(`${url}/dashboard/default/connections/new/kintone`);
      await tab.type(NAME, name);
      await tab.press(BY_OAUTH);
      if (script) await tab.expectNoViolations();
      await tab.choose(CLIENT, await idOf(client));
      if (script) await tab.expectValue(SUBDOMAIN, "demo");
      else await tab.type(SUBDOMAIN, "demo");
      await tab.press(CONTINUE);
      await tab.press(GO_ON);
      await decide(tab);
      if (!script) await tab.press({ en: "Make the connection", ja: "接続を作成" });
      await eventually("the browser does not come back", () => /\/connections\/con_\w+\?done=created/.test(tab.page.url()));
      await tab.expectText(name);
      assert.ok(await connection(name));
    }),
  );
}

step("what is typed gives links into the person's own tenant", (browsers) =>
  inBoth(browsers, async (browser) => {
    const tab = await (await browser.person()).tab();
    await tab.open((await opened("manage", unique("acme"))).link);
    assert.equal(await tab.has(PLACE), false);
    await tab.paste(SUBDOMAIN, "https://demo.kintone.com/k/1/");
    const link = await tab.expect('[data-place="s-api_token-token-0"]:not([hidden]) a[href$="/k/admin/app/apitoken?app=1"]');
    assert.match(await link.evaluate((link) => `${link.target} ${link.rel}`), /_blank noopener noreferrer/);
    await tab.expectNoViolations();
    await tab.press(BY_OAUTH);
    await ask(tab, REGISTER);
    await tab.expect('[data-place="scheme-oauth2"]:not([hidden]) a[href$="/admin/integrations/oauth/list"]');
    await tab.press(BACK);
    await tab.press({ en: "Read the guide", ja: "接続ガイドを読む" });
    const guide = await eventually("no guide opens", async () =>
      (await tab.page.browserContext().pages()).find((page) => page.url().includes("/docs/providers/kintone")),
    );
    assert.equal(new URL(guide.url()).searchParams.get("lang"), browser.language);
  }),
);

step("a session without the right shows nothing of it", async ({ en }) => {
  const tab = await (await en.person()).tab();
  await tab.open((await session({ return_url: RETURN })).link);
  await tab.press(BY_OAUTH);
  assert.equal(await tab.has(CLIENT), false);
  assert.equal(await tab.has(REGISTER), false);
});

await run(closeSites);
