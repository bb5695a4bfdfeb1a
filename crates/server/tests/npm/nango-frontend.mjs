// The published front-end client of the compatible API, unchanged, in Chromium: only its `host` is another one. Accounts are
// linked at an identity provider from npm. BASE_URL, API_KEY, VENDOR_TOKEN, IDENTITY_PROVIDER_PORT and CHROMIUM_BIN come
// from the test.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const clients = process.env.NPM_CLIENTS_DIR;
const require = createRequire(`${clients}/package.json`);
const load = (file) => import(pathToFileURL(path.join(clients, "node_modules", file)));
const { Provider } = await load("oidc-provider/lib/index.js");
const { default: puppeteer } = await load("puppeteer-core/lib/esm/puppeteer/puppeteer-core.js");
const { Nango } = require("@nangohq/node");

const host = process.env.BASE_URL;
const issuer = `http://localhost:${process.env.IDENTITY_PROVIDER_PORT}`;
const nango = new Nango({ host, apiKey: process.env.API_KEY });
const steps = [];
const step = (name, run) => steps.push([name, run]);

/** The embedder's own page, at an origin of its own. */
const page = `<!doctype html><meta charset="utf-8"><title>Embedder</title><button>Connect</button>
<script type="module">
import Nango, { AuthError } from "/client/index.js";
window.link = (host, token, key, options) => {
  const nango = new Nango({ host, connectSessionToken: token });
  return nango.auth(key, options).then(
    (result) => ({ result }),
    (error) => ({ error: { type: error.type, message: error.message, known: error instanceof AuthError } }),
  );
};
document.querySelector("button").addEventListener("click", () => {
  window.outcome = window.link(...window.wanted);
});
// What an embedder adds: the proof goes to its back end, which knows who is signed in.
window.addEventListener("message", (event) => {
  if (event.origin === "${host}" && event.data?.type === "tombolo_proof") {
    fetch("/linked", { method: "POST", body: JSON.stringify(event.data) });
  }
});
window.ready = true;
</script>`;
/** The page of somebody else, that opens windows as well and listens to everything. */
const evilPage = `<!doctype html><meta charset="utf-8"><title>Free tickets</title><button>Get</button>
<script>
window.heard = [];
window.addEventListener("message", (event) => window.heard.push(event.data));
document.querySelector("button").addEventListener("click", () => window.open(window.wanted, "w"));
window.ready = true;
</script>`;
/** What the embedder's back end was shown, and whether it confirms at once. */
const shown = [];
/** The next thing that it is shown. */
const shownAfter = async (count) => {
  while (shown.length === count) await new Promise((soon) => setTimeout(soon, 20));
  return shown.at(-1);
};
let confirmsAtOnce = true;
const signedIn = (request) => /user=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
const confirmFor = async (user, { authorization, proof }) => {
  const confirmed = confirmsAtOnce ? await confirm(authorization, { end_user_id: user, proof }) : undefined;
  shown.push({ user, authorization, proof, status: confirmed?.status, answer: await confirmed?.text() });
};
const embedder = http.createServer(async (request, response) => {
  const url = new URL(request.url, "http://embedder");
  if (request.method === "POST" && url.pathname === "/linked") {
    let body = "";
    for await (const part of request) body += part;
    await confirmFor(signedIn(request), JSON.parse(body));
    response.end();
  } else if (url.pathname === "/back") {
    // The return URL: confirmed before anything is shown, and gone from the address bar.
    await confirmFor(signedIn(request), Object.fromEntries(url.searchParams));
    response.writeHead(303, { location: "/done", "referrer-policy": "no-referrer" }).end();
  } else if (url.pathname === "/done") {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>Done</title><h1>Done</h1>");
  } else if (url.pathname === "/evil") {
    response.setHeader("content-type", "text/html");
    response.end(evilPage);
  } else if (request.url.startsWith("/client/")) {
    const file = path.join(clients, "node_modules/@nangohq/frontend/dist", path.basename(request.url));
    response.setHeader("content-type", "text/javascript");
    response.end(await readFile(file));
  } else {
    response.setHeader("content-type", "text/html");
    response.end(page);
  }
});
await new Promise((ready) => embedder.listen(0, "127.0.0.1", ready));
const port = embedder.address().port;
/** The same server under two names: to browsers these are two sites. */
const [ours, theirs] = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];

await nango.createIntegration({ provider: "kintone", unique_key: "main" });
const secret = "MARKER-client-secret-of-the-identity-provider";
await nango.createIntegration({
  provider: "acme-id",
  unique_key: "acme",
  display_name: "Acme",
  credentials: { type: "OAUTH2", client_id: "embedder", client_secret: secret },
});
const { data: integration } = await nango.getIntegration({ uniqueKey: "acme" }, { include: ["credentials"] });

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "embedder",
      client_secret: secret,
      redirect_uris: [integration.credentials.redirect_uri],
      grant_types: ["authorization_code", "refresh_token"],
    },
  ],
  cookies: { keys: ["a key of this test"] },
  rotateRefreshToken: true,
  // It warns of everything that is for tests only, which this is.
});
console.warn = () => {};
const identity = provider.listen(Number(process.env.IDENTITY_PROVIDER_PORT), "127.0.0.1");

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM_BIN,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
const context = await browser.createBrowserContext();
const tab = await context.newPage();
/** The embedder's page, with somebody signed in. */
const open = async (user = "u-1") => {
  await context.setCookie({ name: "user", value: user, domain: "127.0.0.1", path: "/", sameSite: "Lax" });
  await tab.goto(`${ours}/`);
  await tab.waitForFunction("window.ready");
};
const session = async (more = {}) => {
  const made = await nango.createConnectSession({
    end_user: { id: "u-1", email: "anna@example.com", display_name: "Anna" },
    allowed_integrations: ["main", "acme"],
    ...more,
  });
  return made.data.token;
};
/** Presses the button of the embedder's page; `inWindow` does what the person does in the window that opens. */
const inPopup = async (token, key, inWindow) => {
  await open();
  await tab.evaluate((...wanted) => (window.wanted = wanted), host, token, key, { detectClosedAuthWindow: false });
  await inWindow(await windowOf(tab));
  return tab.evaluate(() => window.outcome);
};
/** The window that opens when the button of a page is pressed. */
const windowOf = async (page) => {
  const opened = new Promise((found) => page.browserContext().once("targetcreated", found));
  await page.click("button");
  return (await opened).page();
};
const press = async (popup, selector) => {
  await popup.waitForSelector(selector, { timeout: 15_000 });
  await Promise.all([popup.waitForNavigation({ timeout: 15_000 }).catch(() => {}), popup.click(selector)]);
};
const login = async (popup) => {
  await popup.waitForSelector("input[name=login]", { timeout: 15_000 });
  await popup.type("input[name=login]", "anna");
  await popup.type("input[name=password]", "any");
  await press(popup, "button[type=submit]");
};
const consent = (popup) => press(popup, "button[type=submit]");
/** The first page says whom the account is linked for. */
const goOn = async (popup, ...words) => {
  await popup.waitForSelector("main form button", { timeout: 15_000 });
  const said = await popup.$eval("main", (main) => main.textContent);
  for (const word of words) assert.ok(said.includes(word), said);
  await press(popup, "main form button");
};
function confirm(id, body) {
  return fetch(`${host}/authorizations/${id}/confirm`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${process.env.API_KEY}` },
    body: JSON.stringify(body),
  });
}
const environment = (change) =>
  fetch(`${host}/environment`, {
    method: "PATCH",
    headers: { "content-type": "application/json", authorization: `Bearer ${process.env.API_KEY}` },
    body: JSON.stringify(change),
  });
/** The address of the window of a session, as anybody who has it can open it. */
const addressOf = (token) => `${host}/oauth/connect/acme?connect_session_token=${token}`;

step("a window does not open where nobody could confirm", async () => {
  const outcome = await inPopup(await session(), "acme", async () => {});
  assert.ok(outcome.error?.message.includes("allowed_origins"), JSON.stringify(outcome));
  const change = { allowed_origins: [ours], return_urls: [`${ours}/back`] };
  assert.equal((await environment(change)).status, 200);
});

step("a key is linked without a window", async () => {
  await open();
  const linked = await tab.evaluate((...wanted) => window.link(...wanted), host, await session(), "main", {
    params: { subdomain: "demo", domain: "kintone.com", app: "1" },
    credentials: { apiKey: process.env.VENDOR_TOKEN },
  });
  assert.ok(linked.result, JSON.stringify(linked));
  assert.equal(linked.result.providerConfigKey, "main");
  assert.ok((await nango.getConnection("main", linked.result.connectionId)).end_user.id === "u-1");
});

step("a key that is wrong is told in words", async () => {
  await open();
  const refused = await tab.evaluate((...wanted) => window.link(...wanted), host, await session(), "main", {
    params: { subdomain: "demo", domain: "kintone.com", app: "1" },
    credentials: { apiKey: "wrongTokenThatNobodyKnows0000000000000000" },
  });
  assert.deepEqual([refused.error.known, refused.error.type], [true, "connection_test_failed"]);
  assert.ok(refused.error.message.length > 20, refused.error.message);
});

let account;
step("a person links an account in a window, and the back end confirms it", async () => {
  const filledIn = { integrations_config_defaults: { acme: { connection_config: { timeout: "20" } } } };
  const outcome = await inPopup(await session(filledIn), "acme", async (popup) => {
    await goOn(popup, "Anna");
    await login(popup);
    await consent(popup);
  });
  assert.ok(outcome.result, JSON.stringify(outcome));
  const { connectionId, providerConfigKey, isPending } = outcome.result;
  const { status, answer, ...told } = await shownAfter(0);
  // A confirmation that comes within three seconds is told as the outcome.
  assert.deepEqual([providerConfigKey, typeof isPending], ["acme", "boolean"]);
  assert.equal(status, 201, answer);
  assert.equal((await confirm(told.authorization, { end_user_id: "u-1", proof: told.proof })).status, 409);
  assert.equal((await nango.getConnection("acme", connectionId)).end_user.id, "u-1");
  account = connectionId;
});

step("an account that nobody has confirmed yet waits", async () => {
  confirmsAtOnce = false;
  const outcome = await inPopup(await session(), "acme", async (popup) => {
    await goOn(popup, "Anna");
    await consent(popup);
  });
  confirmsAtOnce = true;
  assert.equal(outcome.result?.isPending, true, JSON.stringify(outcome));
  const { connectionId } = outcome.result;
  await assert.rejects(nango.getConnection("acme", connectionId), "nobody can use it yet");
  const { proof } = await shownAfter(1);
  assert.equal((await confirm(connectionId, { proof })).status, 400);
  assert.equal((await confirm(connectionId, { end_user_id: "u-1" })).status, 400);
  assert.equal((await confirm(connectionId, { end_user_id: "u-1", proof: shown[0].proof })).status, 403);
  assert.equal((await confirm(connectionId, { end_user_id: "u-1", proof })).status, 201);
  await nango.deleteConnection("acme", connectionId);
});

step("with a return URL the window ends on the embedder's page", async () => {
  await open();
  const window = await context.newPage();
  await window.goto(addressOf(await session({ return_url: `${ours}/back` })));
  await goOn(window, "Anna");
  await consent(window);
  await window.waitForFunction("document.title === 'Done'");
  assert.equal(window.url(), `${ours}/done`);
  const { user, status, answer } = shown.at(-1);
  assert.deepEqual([user, status], ["u-1", 201], answer);
  await nango.deleteConnection("acme", JSON.parse(answer).connection_id);
  await window.close();
});

step("COSF: a hostile page that opens the window is told no proof", async () => {
  const count = shown.length;
  const token = await session({ end_user: { id: "attacker" } });
  const evil = await context.newPage();
  await evil.goto(`${theirs}/evil`);
  await evil.waitForFunction("window.ready");
  await evil.evaluate((address) => (window.wanted = address), addressOf(token));
  const popup = await windowOf(evil);
  await goOn(popup, "attacker");
  await consent(popup);
  await popup.waitForSelector("[data-end=success]");
  await evil.waitForFunction("window.heard.length > 0");
  const proof = await popup.$eval("[data-proof]", (end) => end.dataset.proof);
  const { heard, reach } = await evil.evaluate(() => {
    let reach = "reached";
    try {
      reach = window.open("", "w").document.body.innerHTML;
    } catch (error) {
      reach = error.name;
    }
    return { heard: JSON.stringify(window.heard), reach };
  });
  assert.equal(heard, '[{"type":"nango_oauth_callback_success"}]');
  assert.ok(!heard.includes(proof) && reach === "SecurityError", reach);
  assert.equal(shown.length, count, "nor is the embedder");
  const id = await popup.$eval("[data-authorization]", (end) => end.dataset.authorization);
  assert.equal((await confirm(id, { end_user_id: "attacker" })).status, 400);
  await popup.close();
  await evil.close();
});

step("COSF: a victim who follows an attacker's link to its end links nothing", async () => {
  const count = shown.length;
  const outcome = await (async () => {
    // The attacker's page waits for the window that somebody else opens.
    const profile = await browser.createBrowserContext();
    const victim = await profile.newPage();
    await victim.goto(addressOf(await session({ end_user: { id: "attacker" } })));
    await goOn(victim, "attacker");
    await login(victim);
    await consent(victim);
    await victim.waitForSelector("[data-lost]:not([hidden])");
    const said = await victim.$eval("main", (main) => main.innerText);
    const id = await victim.$eval("[data-authorization]", (end) => end.dataset.authorization);
    await profile.close();
    return { said, id };
  })();
  assert.ok(outcome.said.includes("out of reach") && !/[B-Z]{4}-[B-Z]{4}/.test(outcome.said), outcome.said);
  assert.equal(shown.length, count);
  const proof = shown[0].proof;
  assert.equal((await confirm(outcome.id, { end_user_id: "attacker" })).status, 400);
  assert.equal((await confirm(outcome.id, { end_user_id: "attacker", proof })).status, 403);

  // Opened from the embedder's own page, the proof comes to whoever is signed in there.
  await open("victim");
  await tab.evaluate((address) => {
    document.querySelector("button").replaceWith(document.createElement("button"));
    document.querySelector("button").addEventListener("click", () => window.open(address));
  }, addressOf(await session({ end_user: { id: "attacker" } })));
  const popup = await windowOf(tab);
  await goOn(popup, "attacker");
  await consent(popup);
  await popup.waitForSelector("[data-end=success]");
  const { user, status, answer } = await shownAfter(count);
  assert.deepEqual([user, status], ["victim", 403], answer);
  await popup.close();
  const connections = (await nango.listConnections()).connections;
  assert.ok(!JSON.stringify(connections).includes("attacker"), JSON.stringify(connections));
});

step("the account can be called, and its token read and renewed", async () => {
  const call = { providerConfigKey: "acme", connectionId: account };
  const me = await nango.get({ ...call, endpoint: "/me" });
  assert.equal(me.data.sub, "anna");
  const first = await nango.getToken("acme", account);
  assert.ok(typeof first === "string" && first.length > 20);
  const second = await nango.getToken("acme", account, true);
  assert.notEqual(first, second);
  assert.equal((await nango.get({ ...call, endpoint: "/me" })).data.sub, "anna");
});

step("the same account is linked again", async () => {
  const made = await nango.createReconnectSession({ connection_id: account, integration_id: "acme" });
  const before = await nango.getConnection("acme", account);
  const count = shown.length;
  const outcome = await inPopup(made.data.token, "acme", async (popup) => {
    await goOn(popup);
    await consent(popup);
  });
  assert.equal(outcome.result?.connectionId, account, JSON.stringify(outcome));
  const { status, answer } = await shownAfter(count);
  assert.equal(status, 201, answer);
  const after = await nango.getConnection("acme", account);
  assert.deepEqual([after.name, after.id, after.end_user], [before.name, before.id, before.end_user]);
  assert.deepEqual([before.settings.timeout, after.settings.timeout], ["20", "20"], "what the embedder filled in stays");
  assert.notEqual(after.credentials.access_token, before.credentials.access_token);
});

step("a person who says no is told apart from a failure", async () => {
  const outcome = await inPopup(await session(), "acme", async (popup) => {
    await goOn(popup);
    await popup.waitForSelector("a[href$=abort]", { timeout: 15_000 });
    await press(popup, "a[href$=abort]");
  });
  assert.equal(outcome.error?.type, "callback_err", JSON.stringify(outcome));
});

step("another site cannot press the button", async () => {
  const token = await session();
  const begun = await fetch(`${host}/oauth/connect/acme?connect_session_token=${token}`, { redirect: "manual" });
  const link = begun.headers.get("location");
  for (const headers of [{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }]) {
    const status = await new Promise((told, failed) => {
      const request = http.request(link, { method: "POST", headers }, (answer) => told(answer.resume().statusCode));
      request.on("error", failed).end();
    });
    assert.equal(status, 403, JSON.stringify(headers));
  }
});

step("a browser does not choose settings, nor providers that nobody uses", async () => {
  const form = (token, key, query) =>
    fetch(`${host}/api-auth/api-key/${key}?connect_session_token=${token}&${query}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ apiKey: process.env.VENDOR_TOKEN }),
    }).then((answer) => answer.json());
  const tenant = "params[subdomain]=demo&params[domain]=kintone.com&params[app]=1";
  const proxied = await form(await session(), "main", `${tenant}&params[ProxyServer]=evil.example:3128`);
  assert.equal(proxied.error.code, "setting_not_allowed");
  const any = await session({ allowed_integrations: [] });
  assert.equal((await form(any, "oomnitza", "params[subdomain]=x")).error.code, "unknown_provider_config");
});

step("what stands in the way is told to the page", async () => {
  // Nobody has registered a client for it.
  const outcome = await inPopup(await session(), "main", async () => {});
  assert.equal(outcome.error?.type, "provider_config_err", JSON.stringify(outcome));
  const other = await inPopup(await session({ allowed_integrations: ["main"] }), "acme", async () => {});
  assert.ok(other.error?.message.includes("not for this integration"), JSON.stringify(other));
  const lost = await inPopup("tombolo_connect_session_unknown", "acme", async () => {});
  assert.ok(lost.error, JSON.stringify(lost));
});

step("without a confirmation the person is told beforehand whom the account is linked for", async () => {
  assert.equal((await environment({ confirm_authorizations: false })).status, 200);
  const outcome = await inPopup(await session({ end_user: { id: "u-3", display_name: "Ben" } }), "acme", async (popup) => {
    await goOn(popup, "Ben", "Nobody checks afterwards");
    await consent(popup);
  });
  assert.equal(outcome.result?.isPending, false, JSON.stringify(outcome));
  const found = await nango.getConnection("acme", outcome.result.connectionId);
  assert.equal(found.end_user.id, "u-3");
});

let failed;
for (const [name, run] of steps) {
  try {
    await run();
    console.log(`ok - ${name}`);
  } catch (error) {
    failed = error;
    console.log(`not ok - ${name}`);
    break;
  }
}
await browser.close();
embedder.close();
identity.close();
identity.closeAllConnections();
if (failed) throw failed;
console.log("all passed");
