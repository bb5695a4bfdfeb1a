// People link accounts in the Connect UI: every kind of account in both languages, by keyboard alone, without a script, in a
// frame of the embedder's page.
import assert from "node:assert/strict";

import { closeSites } from "./driver/embedder.mjs";
import { unique, url } from "./driver/server.mjs";
import { run, step } from "./driver/suite.mjs";
import { connection, LOGIN, session } from "./world.mjs";

const TOKEN = process.env.VENDOR_TOKEN;
const OTHER_TOKEN = process.env.VENDOR_OTHER_TOKEN;
const OOMNITZA = JSON.parse(process.env.OOMNITZA);

/** What things are called. */
const NAME = { en: "Connection name", ja: "接続名" };
const SUBDOMAIN = { en: "Subdomain", ja: "サブドメイン" };
const DOMAIN = { en: /^Domain/, ja: /^ドメイン/ };
const GUEST_SPACE = { en: /^Guest space ID/, ja: /^ゲストスペースID/ };
const APP = { en: /^App ID/, ja: /^アプリID/ };
const TOKENS = { en: /^API token/, ja: /^APIトークン/ };
const BY_PASSWORD = { en: /^Login name and password/, ja: /^ログイン名とパスワード/ };
const LOGIN_NAME = { en: "Login name", ja: "ログイン名" };
const PASSWORD = { en: "Password", ja: "パスワード" };
const BASIC = { en: "Basic authentication", ja: "Basic認証" };
const BASIC_USER = { en: /^Basic authentication user/, ja: /^Basic認証のユーザー名/ };
const BASIC_PASSWORD = { en: /^Basic authentication password/, ja: /^Basic認証のパスワード/ };
const TEST = { en: "Test", ja: "テスト" };
const CREATE = { en: "Create", ja: "接続を作成" };
const AVAILABLE = { en: "Connection available", ja: "接続できます" };
const UNAVAILABLE = { en: "Connection unavailable", ja: "接続できません" };
const connectedTo = (en, ja) => ({ en: `You are now connected to ${en}`, ja: `${ja}に接続しました` });
const TO_KINTONE = connectedTo("Kintone", "kintone");

/** The gate of the Japanese tenant. */
async function openGate(tab) {
  await tab.press(BASIC);
  await tab.type(BASIC_USER, "gate");
  await tab.type(BASIC_PASSWORD, "sample-gate-password");
}

/** Accounts of every kind: what is typed, and where the account is called afterwards. */
const ACCOUNTS = [
  {
    what: "API tokens of two apps",
    integrations: ["kintone"],
    connected: TO_KINTONE,
    call: "/k/v1/app.json?id=2",
    fill: async (tab) => {
      await tab.paste(SUBDOMAIN, "https://demo.kintone.com/k/1/show#record=5");
      await tab.expectValue(SUBDOMAIN, "demo");
      await tab.expectValue(APP, "1");
      await tab.type(TOKENS, TOKEN);
      await tab.press({ en: "Add another", ja: "追加する" });
      const second = await tab.group({ en: "Number 2", ja: "2個目" });
      await second.type(APP, "2");
      await second.type(TOKENS, OTHER_TOKEN);
    },
  },
  {
    what: "a password behind Basic authentication",
    integrations: ["kintone"],
    connected: TO_KINTONE,
    call: "/k/v1/app.json?id=11",
    fill: async (tab) => {
      await tab.paste(SUBDOMAIN, "https://sample.cybozu.com/k/#/portal");
      await tab.expectValue(DOMAIN, "cybozu.com");
      await tab.press(BY_PASSWORD);
      await tab.type(LOGIN_NAME, "sato");
      await tab.type(PASSWORD, "sample-password-sato");
      await openGate(tab);
    },
  },
  {
    what: "an app in a guest space",
    integrations: ["kintone"],
    connected: TO_KINTONE,
    call: "/k/v1/app.json?id=21",
    fill: async (tab) => {
      await tab.paste(SUBDOMAIN, "https://sample.cybozu.com/k/guest/5/21/");
      await tab.expectValue(GUEST_SPACE, "5");
      await tab.expectValue(APP, "21");
      await tab.type(TOKENS, "sampleTokenGuestKadai0000000000000000000");
      await openGate(tab);
    },
  },
  {
    what: "the User API, out of the form of the other API",
    integrations: ["kintone", "kintone-user-api"],
    connected: connectedTo("Kintone User API", "cybozu.com共通管理 User API"),
    call: "/v1/users.json?size=1",
    begin: async (tab) => {
      await tab.press({ en: /^Kintone Apps/, ja: /^kintone / });
      await tab.press({ en: /^User API/, ja: /^User API/ });
    },
    fill: async (tab) => {
      await tab.type(SUBDOMAIN, "demo");
      await tab.press(BY_PASSWORD);
      await tab.type(LOGIN_NAME, LOGIN.name);
      await tab.type(PASSWORD, LOGIN.password);
    },
  },
  {
    what: "Oomnitza",
    integrations: ["oomnitza"],
    connected: connectedTo("Oomnitza", "Oomnitza"),
    call: "/api/v3/assets/meta",
    fill: async (tab) => {
      await tab.paste(SUBDOMAIN, `https://${OOMNITZA.subdomain}.oomnitza.com/login`);
      await tab.expectValue(SUBDOMAIN, OOMNITZA.subdomain);
      await tab.type(TOKENS, OOMNITZA.token);
    },
  },
];

/** Does something in both languages at the same time. */
const inBoth = (browsers, act) => Promise.all(Object.values(browsers).map(act));

/** The account works for callers. */
async function expectCallable(name, path) {
  const made = await connection(name);
  assert.ok(made, `there is no connection “${name}”`);
  const answer = await fetch(`${url}/proxy${path}`, {
    headers: {
      authorization: `Bearer ${process.env.API_KEY}`,
      "connection-id": made.connection_id,
      "provider-config-key": made.provider_config_key,
    },
  });
  assert.equal(answer.status, 200, await answer.text());
}

for (const account of ACCOUNTS) {
  step(`${account.what}: typed, tested, linked and called`, (browsers) =>
    inBoth(browsers, async (browser) => {
      const name = unique(browser.language === "ja" ? "営業部" : "Sales");
      const tab = await (await browser.person()).tab();
      await tab.open((await session({ allowed_integrations: account.integrations })).link);
      await account.begin?.(tab);
      await tab.type(NAME, name);
      await account.fill(tab);
      await tab.press(TEST);
      await tab.expectText(AVAILABLE);
      assert.equal(await connection(name), undefined, "a test stores nothing");
      await tab.press(CREATE);
      await tab.expectText(account.connected);
      await tab.expectText(name);
      await expectCallable(name, account.call);
    }),
  );
}

step("what is wrong is said where it is wrong, and can be mended", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Mended");
    const tab = await (await browser.person()).tab();
    await tab.open((await session()).link);
    await tab.press(CREATE);
    assert.equal(await tab.focused(), tab.word(SUBDOMAIN), "the first field at fault has the focus");
    await tab.type(NAME, name);
    await tab.type(SUBDOMAIN, "ｄｅｍｏ ");
    await tab.type(APP, "１");
    await tab.type(TOKENS, "wrongTokenThatNobodyKnows0000000000000000");
    await tab.press(CREATE);
    await tab.expectText(UNAVAILABLE);
    await tab.expectNoViolations();
    assert.equal(await connection(name), undefined);
    await tab.type(TOKENS, TOKEN);
    await tab.press(CREATE);
    await tab.expectText(TO_KINTONE);
    await expectCallable(name, "/k/v1/app.json?id=1");
  }),
);

step("by keyboard alone", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Keys");
    const tab = await (await browser.person()).tab();
    await tab.open((await session()).link);
    const typeInto = async (label, text) => {
      await tab.tabTo(label);
      await tab.page.keyboard.down("Control");
      await tab.keys("a");
      await tab.page.keyboard.up("Control");
      await tab.page.keyboard.type(text);
    };
    await typeInto(NAME, name);
    await typeInto(SUBDOMAIN, "demo");
    await typeInto(APP, "1");
    await typeInto(TOKENS, TOKEN);
    await tab.tabTo(TEST);
    await tab.keys("Enter");
    await tab.expectText(AVAILABLE);
    await tab.tabTo(CREATE);
    await tab.keys("Space");
    await tab.expectText(TO_KINTONE);
    await expectCallable(name, "/k/v1/app.json?id=1");
  }),
);

step("without a script", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Plain");
    const tab = await (await browser.person({ script: false })).tab();
    await tab.open((await session({ allowed_integrations: ["kintone", "oomnitza"] })).link);
    await tab.press({ en: /^Kintone Apps/, ja: /^kintone / });
    await tab.type(NAME, name);
    await tab.type(SUBDOMAIN, "demo");
    await tab.type(APP, "1");
    await tab.type(TOKENS, "wrongTokenThatNobodyKnows0000000000000000");
    await tab.press(TEST);
    await (await tab.frame(`${url}/connect/default/test`)).expectText(UNAVAILABLE);
    await tab.press(CREATE);
    await tab.expectText(UNAVAILABLE);
    assert.equal(await tab.value(NAME), name, "what was typed stays");
    assert.equal(await tab.value(TOKENS), "", "but for secrets");
    await tab.type(TOKENS, TOKEN);
    await tab.press(CREATE);
    await tab.expectText(TO_KINTONE);
    await expectCallable(name, "/k/v1/app.json?id=1");
  }),
);

step("at 200 %, and at 320 px", (browsers) =>
  inBoth(browsers, async (browser) => {
    const tab = await (await browser.person()).tab();
    await tab.open((await session()).link);
    for (const size of [
      { width: 640, height: 400, deviceScaleFactor: 2 },
      { width: 320, height: 568 },
    ]) {
      await tab.page.setViewport(size);
      await tab.expectNoViolations();
    }
    const name = unique("Small");
    await tab.type(NAME, name);
    await tab.paste(SUBDOMAIN, "demo.kintone.com/k/1/");
    await tab.expectValue(APP, "1");
    await tab.type(TOKENS, TOKEN);
    await tab.press(CREATE);
    await tab.expectText(TO_KINTONE);
  }),
);

step("the Enter key of an input method chooses characters and sends nothing", async ({ ja }) => {
  const tab = await (await ja.person()).tab();
  await tab.open((await session()).link);
  const sent = [];
  tab.page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
  await (await tab.field(NAME)).focus();
  const keyboard = await tab.page.createCDPSession();
  await keyboard.send("Input.imeSetComposition", { text: "えいぎょうぶ", selectionStart: 6, selectionEnd: 6 });
  await tab.keys("Enter");
  await keyboard.send("Input.insertText", { text: "営業部" });
  await tab.expectValue(NAME, /営業部/);
  assert.deepEqual(sent, []);
  assert.equal(await tab.has(CREATE), true);
});

await run(closeSites);
