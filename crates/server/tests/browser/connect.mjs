// People link accounts in the Connect UI: every kind of account in every way, in both languages.
import assert from "node:assert/strict";

import * as account from "./accounts.mjs";
import { ACCOUNTS, APP, CREATE, NAME, SUBDOMAIN, TEST, TOKENS, expectCallable } from "./accounts.mjs";
import { closeSites, site } from "./driver/embedder.mjs";
import { eventually } from "./driver/eventually.mjs";
import { Keyboard } from "./driver/keyboard.mjs";
import { api, unique, url } from "./driver/server.mjs";
import { run, step } from "./driver/suite.mjs";
import { connection, session } from "./world.mjs";

const TOKEN = process.env.VENDOR_TOKEN;
const embedder = await site({
  "/": `<h1>Embedder</h1><main></main><script>
window.heard = [];
addEventListener("message", ({ origin, data }) => heard.push({ origin, data }));
window.show = (src) => document.querySelector("main").append(Object.assign(document.createElement("iframe"), { src, width: 700, height: 700 }));
</script>`,
});
await api("PATCH", "/environment", { allowed_origins: [embedder] });

/** The ways in which somebody can go through a form: what they do it with, the page it is on, and what they see at the end. */
const WAYS = [
  {
    way: "by pointing",
    open: async (browser, link) => {
      const tab = await (await browser.person()).tab();
      return { tab, hands: await tab.open(link) };
    },
  },
  {
    way: "by keyboard alone",
    open: async (browser, link) => {
      const tab = await (await browser.person()).tab();
      await tab.open(link);
      return { tab, hands: new Keyboard(tab) };
    },
  },
  {
    way: "without a script",
    open: async (browser, link) => {
      const tab = await (await browser.person({ script: false })).tab();
      return { tab, hands: await tab.open(link) };
    },
    tested: async (tab) => tab.frame(`${url}/connect/default/test`),
  },
  {
    way: "in a frame of another origin",
    open: async (browser, link) => {
      const tab = await (await browser.person()).tab();
      await tab.open(`${embedder}/`);
      await tab.page.evaluate((link) => show(link), link);
      return { tab, hands: await tab.frame(`${url}/connect/`) };
    },
    expect: async (tab, made) => {
      const heard = await eventually("the page around hears of it", async () => {
        const heard = await tab.page.evaluate(() => heard);
        return heard.at(-1)?.data.type === "connect" && heard;
      });
      assert.deepEqual([...new Set(heard.map(({ origin }) => origin))], [url]);
      const told = { providerConfigKey: made.provider_config_key, connectionId: made.connection_id };
      assert.deepEqual(heard.at(-1).data.payload, told);
    },
  },
];

/** Does something in both languages at the same time. */
const inBoth = (browsers, act) => Promise.all(Object.values(browsers).map(act));

for (const { what, integrations, begin, fill, connected, call } of ACCOUNTS) {
  for (const { way, open, tested, expect } of WAYS) {
    step(`${what}: typed, tested, linked and called, ${way}`, (browsers) =>
      inBoth(browsers, async (browser) => {
        const name = unique(browser.language === "ja" ? "営業部" : "Sales");
        const { link } = await session({ allowed_integrations: integrations });
        const { tab, hands } = await open(browser, link);
        const shown = hands.place ? hands : tab;
        await begin?.(hands);
        await hands.type(NAME, name);
        await fill(hands);
        await hands.press(TEST);
        await ((await tested?.(tab)) ?? shown).expectText(account.AVAILABLE);
        assert.equal(await connection(name), undefined, "a test stores nothing");
        await hands.press(CREATE);
        await shown.expectText(connected);
        await shown.expectText(name);
        const made = await expectCallable(name, call);
        await expect?.(tab, made);
      }),
    );
  }
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
    await tab.expectText(account.UNAVAILABLE);
    await tab.expectNoViolations();
    assert.equal(await connection(name), undefined);
    await tab.type(TOKENS, TOKEN);
    await tab.press(CREATE);
    await tab.expectText(account.TO_KINTONE);
    await expectCallable(name, "/k/v1/app.json?id=1");
  }),
);

step("without a script what was typed stays, but for secrets", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Plain");
    const tab = await (await browser.person({ script: false })).tab();
    await tab.open((await session({ allowed_integrations: ["kintone", "oomnitza"] })).link);
    await tab.press(account.KINTONE_APPS);
    await tab.type(NAME, name);
    await tab.type(SUBDOMAIN, "demo");
    await tab.type(APP, "1");
    await tab.type(TOKENS, "wrongTokenThatNobodyKnows0000000000000000");
    await tab.press(TEST);
    await (await tab.frame(`${url}/connect/default/test`)).expectText(account.UNAVAILABLE);
    await tab.press(CREATE);
    await tab.expectText(account.UNAVAILABLE);
    assert.equal(await tab.value(NAME), name);
    assert.equal(await tab.value(TOKENS), "");
    await tab.type(TOKENS, TOKEN);
    await tab.press(CREATE);
    await tab.expectText(account.TO_KINTONE);
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
    await tab.expectText(account.TO_KINTONE);
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
