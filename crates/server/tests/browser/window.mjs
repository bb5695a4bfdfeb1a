// People link accounts at the vendor, out of the Connect UI: on a page by itself, in a frame of another origin, by keyboard alone,
// and when something stands in the way of the window.
import assert from "node:assert/strict";

import { APP, NAME, SUBDOMAIN, TO_KINTONE, expectCallable } from "./accounts.mjs";
import { closeSites, site } from "./driver/embedder.mjs";
import { eventually } from "./driver/eventually.mjs";
import { Keyboard } from "./driver/keyboard.mjs";
import { api, unique, url } from "./driver/server.mjs";
import { run, step } from "./driver/suite.mjs";
import { again, connect, connection, decide, LOGIN, oauthClient, session } from "./world.mjs";

const BY_OAUTH = { en: "OAuth 2.0", ja: "OAuth（ブラウザーで許可）" };
const CONTINUE = { en: "Continue to Kintone", ja: "kintoneへ進む" };
const GO_ON = { en: "Go on", ja: "次へ進む" };
const WINDOW_AGAIN = { en: "Open the window again", ja: "ウィンドウをもう一度開く" };
const WINDOW_TAB = { en: "Open in a new tab", ja: "新しいタブで開く" };
const WINDOW_HERE = { en: "Go on in this tab", ja: "このタブで進む" };
const WINDOW_ELSEWHERE = { en: "Use another browser or device", ja: "別のブラウザーや端末を使う" };
const WINDOW_LINK = { en: "Link", ja: "リンク" };
const BLOCKED = { en: "Your browser has blocked the window", ja: "ブラウザーがウィンドウをブロックしました" };
const DENIED = { en: "Access was not allowed at the service", ja: "サービスの画面でアクセスが許可されませんでした" };
const OTHER_ACCOUNT = { en: /^Yes, this is another account/, ja: /^以前とは別のアカウントに変更します/ };
const ALLOW = { en: "Allow", ja: "許可" };

const embedder = await site({
  "/": `<h1>Embedder</h1><main></main><script>
window.heard = [];
addEventListener("message", ({ origin, data }) => heard.push({ origin, data }));
window.show = (src) => document.querySelector("main").append(Object.assign(document.createElement("iframe"), { src, width: 700, height: 700 }));
</script>`,
  "/linked": `<h1>Linked</h1>`,
});
const return_url = `${embedder}/linked`;
await api("PATCH", "/environment", { allowed_origins: [embedder], return_urls: [return_url], connect_ui: { display_name: "Acme" } });
await connect();
await api("PATCH", "/integrations/kintone", { oauth_client: await oauthClient() });

/** Does something in both languages at the same time. */
const inBoth = (browsers, act) => Promise.all(Object.values(browsers).map(act));

/** Fills the form in, up to the button that leads to the vendor. */
async function fill(hands, name, app = "1") {
  await hands.type(NAME, name);
  await hands.type(SUBDOMAIN, "demo");
  await hands.press(BY_OAUTH);
  await hands.type(APP, app);
}

/** The page before the vendor's says whose account is used as what. */
async function expectQuestion(tab, name) {
  await tab.expectText(name);
  await tab.expectText({ en: "The account is linked for Anna", ja: "接続先の利用者: Anna" });
}

/** From the page before the vendor's to the end. */
async function agree(tab, name) {
  if (name) await expectQuestion(tab, name);
  await tab.press(GO_ON);
  await decide(tab);
}

/** The embedder's back end confirms for whoever is signed in there. */
const confirm = ({ authorization, proof }) => api("POST", `/authorizations/${authorization}/confirm`, { proof, end_user_id: "u-1" }, 201);

/** The tab has come back to the embedder's own page, whose back end confirms. */
async function confirmOnReturn(tab) {
  await eventually("the tab goes on to the page of the embedder", () => tab.page.url().startsWith(return_url));
  const { searchParams } = new URL(tab.page.url());
  assert.equal(searchParams.get("error"), null);
  return confirm({ authorization: searchParams.get("authorization"), proof: searchParams.get("proof") });
}

/** The Connect UI in a frame of the embedder's page. `blocked` has the browser open no window by itself. */
async function framed(browser, { link, blocked = false }) {
  const tab = await (await browser.person()).tab();
  if (blocked) await tab.page.evaluateOnNewDocument(() => (window.open = () => null));
  await tab.open(`${embedder}/`);
  await tab.page.evaluate((link) => show(link), link);
  return [tab, await tab.frame(`${url}/connect/`)];
}

const heardBy = (tab) => tab.page.evaluate(() => heard);

/** The messages of a type that the page around has heard from the frame, once there is one. */
const heardOf = (tab, type) =>
  eventually(`the page around hears nothing of “${type}”`, async () => {
    const messages = (await heardBy(tab)).filter(({ data }) => data.type === type);
    return messages.length > 0 && messages;
  });

/** The page around has heard the proof from the frame, and its back end confirms. */
async function confirmWhatWasHeard(tab) {
  const [{ data }] = await heardOf(tab, "tombolo_proof");
  assert.deepEqual([...new Set((await heardBy(tab)).map(({ origin }) => origin))], [url]);
  return confirm(data);
}

/** The frame celebrates, and the page around knows of which connection. */
async function expectLinked(tab, frame, name) {
  await frame.expectText(TO_KINTONE);
  await frame.expectText(name);
  const made = await expectCallable(name, "/k/v1/app.json?id=1");
  const told = (await heardOf(tab, "connect")).map(({ data }) => data.payload);
  assert.equal(told.length, 1, "it is told once");
  assert.deepEqual([told[0].providerConfigKey, told[0].connectionId], ["kintone", made.connection_id]);
}

step("on a page by itself: the same tab goes to the vendor and on to the embedder, who confirms", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Alone");
    const tab = await (await browser.person()).tab();
    await tab.open((await session({ return_url })).link);
    await tab.expectText({
      en: "You are connecting your Kintone account to Acme for Anna.",
      ja: "Annaとして、kintoneのアカウントをAcmeに接続します。",
    });
    await fill(tab, name);
    await tab.press(CONTINUE);
    await agree(tab, name);
    await confirmOnReturn(tab);
    await expectCallable(name, "/k/v1/app.json?id=1");
  }),
);

step("on a page by itself, without a script", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Plain");
    const tab = await (await browser.person({ script: false })).tab();
    await tab.open((await session({ return_url })).link);
    await fill(tab, name);
    await tab.press(CONTINUE);
    await agree(tab, name);
    await confirmOnReturn(tab);
    await expectCallable(name, "/k/v1/app.json?id=1");
  }),
);

step("on a page by itself, by keyboard alone, the vendor's pages too", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Keys");
    const tab = await (await browser.person()).tab();
    await tab.open((await session({ return_url })).link);
    const hands = new Keyboard(tab);
    await fill(hands, name);
    await hands.press(CONTINUE);
    await hands.press(GO_ON);
    await hands.type({ en: "Login name", ja: "ログイン名" }, LOGIN.name);
    await hands.type({ en: "Password", ja: "パスワード" }, LOGIN.password);
    await hands.press(ALLOW);
    await confirmOnReturn(tab);
    await expectCallable(name, "/k/v1/app.json?id=1");
  }),
);

step("where nobody has to confirm, the last page says what it is connected to", async (browsers) => {
  await api("PATCH", "/environment", { confirm_authorizations: false });
  try {
    await inBoth(browsers, async (browser) => {
      const name = unique("Unconfirmed");
      const tab = await (await browser.person()).tab();
      await tab.open((await session()).link);
      await fill(tab, name);
      await tab.press(CONTINUE);
      await tab.expectText({ en: "Nobody checks afterwards whose account it was", ja: "接続後に本人確認は行われません" });
      await agree(tab, name);
      await tab.expectText(TO_KINTONE);
      await tab.expectText(name);
      await expectCallable(name, "/k/v1/app.json?id=1");
    });
  } finally {
    await api("PATCH", "/environment", { confirm_authorizations: true });
  }
});

step("a page by itself that nobody could confirm says so before anything is typed in vain", (browsers) =>
  inBoth(browsers, async (browser) => {
    const tab = await (await browser.person()).tab();
    await tab.open((await session()).link);
    await tab.press(BY_OAUTH);
    await tab.expectText({
      en: "Signing in at the service works only from the application that sent you here",
      ja: "元のアプリケーションから開いた場合にのみ利用できます",
    });
  }),
);

step("in a frame of another origin: a window opens, the page around confirms, the frame goes on by itself", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Framed");
    const [tab, frame] = await framed(browser, await session());
    await fill(frame, name);
    const window_ = await tab.windowAfter(() => frame.press(CONTINUE));
    await agree(window_, name);
    await confirmWhatWasHeard(tab);
    await expectLinked(tab, frame, name);
    await eventually("the window closes by itself", () => window_.page.isClosed());
    const types = (await heardBy(tab)).map(({ data }) => data.type);
    assert.deepEqual([...new Set(types)], ["select", "submit", "tombolo_proof", "connect"]);
  }),
);

step("in a frame of another origin, by keyboard alone", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Keys");
    const [tab, frame] = await framed(browser, await session());
    await frame.expect("[data-form]");
    const hands = new Keyboard(tab, frame);
    await fill(hands, name);
    const window_ = await tab.windowAfter(() => hands.press(CONTINUE));
    const there = new Keyboard(window_);
    await there.press(GO_ON);
    await there.type({ en: "Login name", ja: "ログイン名" }, LOGIN.name);
    await there.type({ en: "Password", ja: "パスワード" }, LOGIN.password);
    await there.press(ALLOW);
    await confirmWhatWasHeard(tab);
    await expectLinked(tab, frame, name);
  }),
);

step("the browser blocks the window: a new tab does as well", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Tab");
    const [tab, frame] = await framed(browser, { ...(await session()), blocked: true });
    await fill(frame, name);
    await frame.press(CONTINUE);
    await frame.expectText(BLOCKED);
    assert.equal(await frame.has(WINDOW_HERE), false, "without a page to return to, this tab would be lost");
    const opened = await tab.windowAfter(() => frame.press(WINDOW_TAB));
    await agree(opened, name);
    await confirmWhatWasHeard(tab);
    await expectLinked(tab, frame, name);
  }),
);

step("the browser blocks the window: by keyboard alone the new tab is found", async ({ en }) => {
  const name = unique("Tab");
  const [tab, frame] = await framed(en, { ...(await session()), blocked: true });
  await frame.expect("[data-form]");
  const hands = new Keyboard(tab, frame);
  await fill(hands, name);
  await hands.press(CONTINUE);
  await frame.expectText(BLOCKED);
  const opened = await tab.windowAfter(() => hands.press(WINDOW_TAB));
  await agree(opened, name);
  await confirmWhatWasHeard(tab);
  await expectLinked(tab, frame, name);
});

step("the browser blocks the window: this tab goes itself, where the session has a page to return to", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Here");
    const [tab, frame] = await framed(browser, { ...(await session({ return_url })), blocked: true });
    await fill(frame, name);
    await frame.press(CONTINUE);
    await frame.expectText(BLOCKED);
    await frame.press(WINDOW_HERE);
    await agree(tab, name);
    await confirmOnReturn(tab);
    await expectCallable(name, "/k/v1/app.json?id=1");
  }),
);

step("the browser blocks the window: a link for another device, and the frame goes on by itself", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Device");
    const [tab, frame] = await framed(browser, { ...(await session({ return_url })), blocked: true });
    await fill(frame, name);
    await frame.press(CONTINUE);
    await frame.expectText(BLOCKED);
    await frame.press(WINDOW_ELSEWHERE);
    const link = await frame.value(WINDOW_LINK);
    const device = await (await browser.person({ width: 320 })).tab();
    await device.open(link);
    await fill(device, name);
    await device.press(CONTINUE);
    await agree(device, name);
    await confirmOnReturn(device);
    await expectLinked(tab, frame, name);
  }),
);

step("a link for another device is none where that could not be confirmed", async ({ en }) => {
  const [, frame] = await framed(en, { ...(await session()), blocked: true });
  await fill(frame, unique("Nowhere"));
  await frame.press(CONTINUE);
  await frame.expectText(BLOCKED);
  await frame.press(WINDOW_ELSEWHERE);
  await frame.expectText("This account has to be linked in this browser");
  assert.equal(await frame.has(WINDOW_LINK), false);
});

step("a window that was closed halfway is opened again", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Closed");
    const [tab, frame] = await framed(browser, await session());
    await fill(frame, name);
    const first = await tab.windowAfter(() => frame.press(CONTINUE));
    await first.press(GO_ON);
    await first.expect("button[name=decision]");
    await first.close();
    const second = await tab.windowAfter(() => frame.press(WINDOW_AGAIN));
    await agree(second, name);
    await confirmWhatWasHeard(tab);
    await expectLinked(tab, frame, name);
  }),
);

step("whoever did not allow it at the vendor is told so, and may think again", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Denied");
    const [tab, frame] = await framed(browser, await session());
    await fill(frame, name);
    const first = await tab.windowAfter(() => frame.press(CONTINUE));
    await first.press(GO_ON);
    await decide(first, "deny");
    await frame.expectText(DENIED);
    assert.equal(await connection(name), undefined);
    await heardOf(tab, "error");
    const types = (await heardBy(tab)).map(({ data }) => data.type);
    assert.ok(!types.includes("tombolo_proof") && !types.includes("connect"), types.join());
    const second = await tab.windowAfter(() => frame.press(WINDOW_AGAIN));
    await agree(second, name);
    await confirmWhatWasHeard(tab);
    await expectLinked(tab, frame, name);
  }),
);

step("back from the window to the form, where everything stands as it was typed", (browsers) =>
  inBoth(browsers, async (browser) => {
    const name = unique("Back");
    const [tab, frame] = await framed(browser, await session());
    await fill(frame, name);
    const first = await tab.windowAfter(() => frame.press(CONTINUE));
    await first.close();
    await frame.press({ en: "Back", ja: "戻る" });
    assert.deepEqual([await frame.value(NAME), await frame.value(SUBDOMAIN)], [name, "demo"]);
    const second = await tab.windowAfter(() => frame.press(CONTINUE));
    await agree(second, name);
    await confirmWhatWasHeard(tab);
    await expectLinked(tab, frame, name);
  }),
);

/** A connection that somebody has linked at the vendor. */
async function linkedAtVendor(browser) {
  const name = unique("Again");
  const [tab, frame] = await framed(browser, await session());
  await fill(frame, name);
  const window_ = await tab.windowAfter(() => frame.press(CONTINUE));
  await agree(window_);
  await confirmWhatWasHeard(tab);
  await frame.expectText(TO_KINTONE);
  return connection(name);
}

step("an account is linked again at the vendor: the connection keeps its id and its name", (browsers) =>
  inBoth(browsers, async (browser) => {
    const before = await linkedAtVendor(browser);
    const [tab, frame] = await framed(browser, await again(before));
    await frame.expectText(before.name);
    assert.equal(await frame.has(NAME), false, "it has its name");
    const window_ = await tab.windowAfter(() => frame.press(CONTINUE));
    await agree(window_, before.name);
    await confirmWhatWasHeard(tab);
    await expectLinked(tab, frame, before.name);
    assert.equal((await connection(before.name)).connection_id, before.connection_id);
  }),
);

step("what speaks for another account is asked about before the vendor is", (browsers) =>
  inBoth(browsers, async (browser) => {
    const before = await linkedAtVendor(browser);
    const [tab, frame] = await framed(browser, await again(before));
    await frame.type(APP, "2");
    await frame.press(CONTINUE);
    await frame.expectText({ en: "It was “1” before.", ja: "以前は「1」でした。" });
    await frame.press(OTHER_ACCOUNT);
    const window_ = await tab.windowAfter(() => frame.press(CONTINUE));
    await agree(window_, before.name);
    await confirmWhatWasHeard(tab);
    await frame.expectText(TO_KINTONE);
    const made = await expectCallable(before.name, "/k/v1/app.json?id=2");
    assert.equal(made.connection_id, before.connection_id);
  }),
);

await run(closeSites);
