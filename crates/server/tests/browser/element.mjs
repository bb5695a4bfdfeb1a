// `<tombolo-connect>` in an embedder's page, at another origin.
import assert from "node:assert/strict";

import { closeSites, site } from "./driver/embedder.mjs";
import { eventually } from "./driver/eventually.mjs";
import { api, unique, url } from "./driver/server.mjs";
import { run, step } from "./driver/suite.mjs";
import { connection, decide, oauthClient, session } from "./world.mjs";

const TOKEN = process.env.VENDOR_TOKEN;
const PAGE = `<h1>Embedder</h1><button>Open</button>
<script type="module">
import { connect } from "${url}/connect/element.js";
window.told = [];
window.proofs = [];
const names = ["ready", "select", "submit", "test", "proof", "success", "error", "exit"];
const on = Object.fromEntries(names.map((name) => [name, (detail) => told.push({ name, detail })]));
document.querySelector("button").addEventListener("click", () => {
  const confirm = (proof) => window.proofs.push(proof);
  connect({ sessionToken: window.token, integration: "kintone", confirm, on })
    .then((linked) => { window.linked = linked; }, (error) => { window.failed = error.type; });
});
window.inline = (sessionToken) => {
  const element = document.createElement("tombolo-connect");
  element.sessionToken = sessionToken;
  document.body.append(element);
};
window.ready = true;
</script>`;

const embedder = await site({ "/": PAGE });
await api("PATCH", "/environment", { allowed_origins: [embedder] });
const client = await oauthClient();

/** The embedder's page, and the Connect UI that its button has opened. */
async function opened(browser) {
  const { token } = await session();
  const tab = await (await browser.person()).tab();
  await tab.open(`${embedder}/`);
  await tab.page.waitForFunction(() => window.ready);
  await tab.page.evaluate((token) => { window.token = token; }, token);
  await tab.press("Open");
  return [tab, await tab.frame(`${url}/connect/`)];
}
const told = (tab) => tab.page.evaluate(() => window.told);

step("an account is linked in a dialog, which says how and goes away", async ({ en }) => {
  const name = unique("Element");
  const [tab, frame] = await opened(en);
  await frame.type("Connection name", name);
  await frame.paste("Subdomain", "https://demo.kintone.com/k/1/");
  await frame.expectValue(/^App ID/, "1");
  await frame.type(/^API token/, TOKEN);
  await frame.press("Create");
  await tab.page.waitForFunction(() => window.linked);
  const { connection_id } = await connection(name);
  const linked = await tab.page.evaluate(() => window.linked);
  assert.deepEqual(linked, { providerConfigKey: "kintone", connectionId: connection_id });
  await tab.page.waitForFunction(() => window.told.at(-1).name === "exit");
  const names = (await told(tab)).map(({ name }) => name);
  assert.deepEqual([...new Set(names)], ["ready", "select", "submit", "test", "success", "exit"]);
  assert.equal(await tab.page.evaluate(() => document.querySelector("tombolo-connect")), null);
});

step("of an account at the vendor the page around is given the proof, and confirms with it", async ({ en }) => {
  const name = unique("Window");
  await api("PATCH", "/integrations/kintone", { oauth_client: client });
  const [tab, frame] = await opened(en);
  await frame.type("Connection name", name);
  await frame.type("Subdomain", "demo");
  await frame.pressOn("#scheme-oauth2");
  const window_ = await tab.windowAfter(() => frame.pressOn("[data-press=vendor]"));
  await window_.press("Go on");
  await decide(window_);
  const proof = await eventually("the page hears the proof", () => tab.page.evaluate(() => window.proofs[0]));
  await api("POST", `/authorizations/${proof.authorization}/confirm`, { proof: proof.proof, end_user_id: "u-1" }, 201);
  await tab.page.waitForFunction(() => window.linked);
  const { connection_id } = await connection(name);
  assert.equal((await tab.page.evaluate(() => window.linked)).connectionId, connection_id);
});

step("Escape asks before what was typed is lost, and then nothing was linked", async ({ en }) => {
  const [tab, frame] = await opened(en);
  await frame.type("Subdomain", "demo");
  await tab.keys("Escape");
  await frame.expectText("Close without connecting?");
  await frame.pressOn("dialog[open] [value=yes]");
  assert.equal(await eventually("it has closed", () => tab.page.evaluate(() => window.failed)), "exit");
  assert.deepEqual((await told(tab)).at(-1), { name: "exit", detail: { reason: "closed" } });
});

step("in the page itself it is as high as it needs to be", async ({ en }) => {
  const { token } = await session();
  const tab = await (await en.person()).tab();
  await tab.open(`${embedder}/`);
  await tab.page.waitForFunction(() => window.ready);
  await tab.page.evaluate((token) => window.inline(token), token);
  await eventually("the frame grows", () =>
    tab.page.evaluate(() => {
      const frame = document.querySelector("tombolo-connect")?.shadowRoot.querySelector("iframe");
      return parseInt(frame?.style.height ?? "0", 10) > 500;
    }),
  );
});

await run(closeSites);
