// The Connect UI among pages of others: those that may show it, and those that would do harm with it.
import assert from "node:assert/strict";

import { closeSites, site } from "./driver/embedder.mjs";
import { eventually } from "./driver/eventually.mjs";
import { api, unique, url, vendor } from "./driver/server.mjs";
import { run, step } from "./driver/suite.mjs";
import { connection, session } from "./world.mjs";

const TOKEN = process.env.VENDOR_TOKEN;

/** A page that keeps every message that it hears, and shows an address of ours as it is told. */
const PAGE = `<h1>Elsewhere</h1><button>Open</button><main></main>
<script>
window.heard = [];
addEventListener("message", (event) => heard.push({ origin: event.origin, data: event.data }));
window.frame = (address, sandbox) => {
  const frame = document.createElement("iframe");
  if (sandbox !== undefined) frame.sandbox = sandbox;
  frame.src = address;
  frame.width = 900;
  frame.height = 1200;
  document.querySelector("main").replaceChildren(frame);
};
document.querySelector("button").addEventListener("click", () => {
  window.opened = window.open(window.wanted, "opened");
});
</script>`;
const CLIENT = `<h1>Embedder</h1>
<script type="module">
import Nango from "/client/index.js";
window.told = [];
window.openUI = (host, sessionToken) => {
  const nango = new Nango({ host, connectSessionToken: sessionToken });
  window.ui = nango.openConnectUI({
    baseURL: host + "/connect/default/",
    apiURL: "https://elsewhere.example",
    sessionToken,
    onEvent: (event) => told.push(event),
  });
};
window.ready = true;
</script>`;

const embedder = await site({ "/": PAGE, "/client": CLIENT });
const stranger = await site({ "/": PAGE });
await api("PATCH", "/environment", { allowed_origins: [embedder] });

const types = (heard) => heard.map(({ data }) => data.type);
/** Fills the form of the first app in, and presses Create. */
async function fill(view, name) {
  await view.type("Connection name", name);
  await view.paste("Subdomain", "https://demo.kintone.com/k/1/");
  await view.expectValue(/^App ID/, "1");
  await view.type(/^API token/, TOKEN);
  await view.press("Create");
}
/** How much there is of what a stranger could have changed. */
async function state() {
  const { connections } = await api("GET", "/connections");
  const { count } = await vendor("GET", "token-requests");
  return { connections: connections.length, count };
}

step("in a frame of an allowed page the account is linked, and the page hears how", async ({ en }) => {
  const name = unique("Framed");
  const tab = await (await en.person()).tab();
  await tab.open(`${embedder}/`);
  await tab.page.evaluate((link) => frame(link), (await session()).link);
  const frame = await tab.frame(`${url}/connect/`);
  await fill(frame, name);
  await frame.expectText("You are now connected to Kintone");
  const heard = await eventually("the page hears of it", async () => {
    const heard = await tab.page.evaluate(() => heard);
    return types(heard).includes("connect") && heard;
  });
  assert.deepEqual(new Set(heard.map(({ origin }) => origin)), new Set([url]));
  const { connection_id } = await connection(name);
  assert.deepEqual(heard.at(-1).data.payload, { providerConfigKey: "kintone", connectionId: connection_id });
});

step("the published client opens it, unmodified", async ({ en }) => {
  const tab = await (await en.person()).tab();
  await tab.open(`${embedder}/client`);
  await tab.page.waitForFunction("window.ready");
  const name = unique("Client");
  await tab.page.evaluate((host, token) => openUI(host, token), url, (await session()).token);
  const frame = await tab.frame(`${url}/connect/default/`);
  await fill(frame, name);
  await frame.expectText("You are now connected to Kintone");
  const told = await eventually("the client tells of it", async () => {
    const told = await tab.page.evaluate(() => told);
    return told.some(({ type }) => type === "connect") && told;
  });
  const { connection_id } = await connection(name);
  const { payload } = told.find(({ type }) => type === "connect");
  assert.deepEqual([payload.providerConfigKey, payload.connectionId], ["kintone", connection_id]);
});

step("clickjacking: no other page shows it, not even around an allowed one", async ({ en }) => {
  const { link } = await session();
  for (const [around, address] of [
    [`${stranger}/`, link],
    [`${stranger}/`, `${url}/connect/default/`],
    [`data:text/html,<title>x</title><main></main>`, link],
  ]) {
    const tab = await (await en.person()).tab();
    tab.expectComplaint(/frame-ancestors/);
    await tab.open(around);
    await tab.page.evaluate((address) => {
      const frame = document.createElement("iframe");
      frame.src = address;
      document.querySelector("main").replaceChildren(frame);
    }, address);
    await expectNothingFramed(tab);
  }
  const tab = await (await en.person()).tab();
  tab.expectComplaint(/frame-ancestors/);
  await tab.open(`${stranger}/`);
  await tab.page.evaluate((embedder) => frame(embedder), `${embedder}/`);
  const allowed = await tab.frame(`${embedder}/`);
  await allowed.place.evaluate((link) => frame(link), link);
  await expectNothingFramed(tab);
});

/** Chromium puts an error in the place of a page that may not be framed. */
async function expectNothingFramed(tab) {
  await eventually(
    () => `no frame is refused: ${tab.page.frames().map((frame) => frame.url())}`,
    () => tab.page.frames().some((frame) => frame.url().startsWith("chrome-error://")),
  );
  assert.ok(!tab.page.frames().some((frame) => frame.url().startsWith(url)));
}

step("a hostile opener hears nothing and sees nothing", async ({ en }) => {
  const name = unique("Opened");
  const tab = await (await en.person()).tab();
  await tab.open(`${stranger}/`);
  await tab.page.evaluate((link) => (window.wanted = link), (await session()).link);
  const opened = await tab.windowAfter(() => tab.press("Open"));
  await fill(opened, name);
  await opened.expectText("You are now connected to Kintone");
  const { heard, seen } = await tab.page.evaluate(() => {
    let seen = "something";
    try {
      seen = window.opened.document.body.innerText;
    } catch (error) {
      seen = error.name;
    }
    return { heard, seen };
  });
  assert.deepEqual([heard, seen], [[], "SecurityError"]);
});

step("a session that a stranger sends is not taken", async ({ en }) => {
  const { token } = await session();
  const tab = await (await en.person()).tab();
  await tab.open(`${stranger}/`);
  await tab.page.evaluate((address) => (window.wanted = address), `${url}/connect/default/`);
  const opened = await tab.windowAfter(() => tab.press("Open"));
  await opened.expect("[data-step=waiting]");
  const posts = [];
  opened.page.on("request", (request) => request.method() === "POST" && posts.push(request.url()));
  await tab.page.evaluate((token) => {
    for (const target of ["*"]) window.opened.postMessage({ type: "session_token", sessionToken: token }, target);
  }, token);
  // The page answers messages in the order in which they come: what was sent later is known to have arrived.
  await opened.page.evaluate(() => new Promise((soon) => setTimeout(soon, 100)));
  assert.deepEqual(posts, []);
  assert.ok(await opened.page.$("[data-step=waiting]"));
});

step("what pages of other sites send changes nothing", async ({ en }) => {
  const { token } = await session();
  const before = await state();
  const tab = await (await en.person()).tab();
  const fields = {
    session_token: token,
    integration: "kintone",
    name: unique("Forged"),
    scheme: "api_token",
    "c.subdomain": "demo",
    "c.domain": "kintone.com",
    "s.api_token.app": "1",
    "s.api_token.token": TOKEN,
  };
  const answers = [];
  for (const step of ["", "test", "link", "paste"]) {
    for (const type of ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]) {
      await tab.open(`${stranger}/`);
      const answer = tab.page.waitForNavigation();
      await tab.page.evaluate(
        (action, enctype, fields) => {
          const form = Object.assign(document.createElement("form"), { method: "post", action, enctype });
          for (const [name, value] of Object.entries(fields)) {
            form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
          }
          document.body.append(form);
          form.submit();
        },
        `${url}/connect/default/${step}`,
        type,
        fields,
      );
      answers.push(await told(await answer));
    }
    for (const mode of ["no-cors", "cors"]) {
      await tab.open(`${stranger}/`);
      tab.expectComplaint(/CORS policy|Failed to load resource/);
      await tab.page.evaluate(
        async (address, mode, fields) => {
          const body = new FormData();
          for (const [name, value] of Object.entries(fields)) body.set(name, value);
          await fetch(address, { method: "POST", mode, body }).catch(() => {});
        },
        `${url}/connect/default/${step}`,
        mode,
        fields,
      );
    }
  }
  assert.ok(answers.every((answer) => answer === "refused" || answer === "{}"), answers.join());
  assert.equal(await connection(fields.name), undefined);
  assert.deepEqual(await state(), before);
});

/** What a stranger is told. The step that reads pasted texts answers with what it has read, which is nothing. */
const told = async (answer) => (answer.status() >= 400 ? "refused" : answer.text());

await run(closeSites);
