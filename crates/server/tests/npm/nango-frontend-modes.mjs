// The published front-end client of the compatible API, unchanged, in Chromium: an account of every way to authenticate
// that it knows, of providers that were taken over from the published file and are played by simulators. BASE_URL, API_KEY,
// ACCOUNTS and CHROMIUM_BIN come from the test.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const clients = process.env.NPM_CLIENTS_DIR;
const require = createRequire(`${clients}/package.json`);
const file = path.join(clients, "node_modules/puppeteer-core/lib/esm/puppeteer/puppeteer-core.js");
const { default: puppeteer } = await import(pathToFileURL(file));
const { Nango } = require("@nangohq/node");

const host = process.env.BASE_URL;
const nango = new Nango({ host, apiKey: process.env.API_KEY });
/** For each provider: what its account's form has, and the client that the embedder has registered. */
const accounts = Object.fromEntries(JSON.parse(process.env.ACCOUNTS).map((account) => [account.id, account]));
const steps = [];
const step = (name, run) => steps.push([name, run]);

const page = `<!doctype html><meta charset="utf-8"><title>Embedder</title><button>Connect</button>
<script type="module">
import Nango, { AuthError } from "/client/index.js";
const told = (promise) => promise.then(
  (result) => ({ result }),
  (error) => ({ error: { type: error.type, message: error.message, known: error instanceof AuthError } }),
);
const client = (host, token) => new Nango({ host, connectSessionToken: token });
window.link = (host, token, key, options) => told(client(host, token).auth(key, options));
window.create = (host, token, key, options) => told(client(host, token).create(key, options));
document.querySelector("button").addEventListener("click", () => {
  window.outcome = window.link(...window.wanted);
});
window.ready = true;
</script>`;
const embedder = http.createServer(async (request, response) => {
  if (request.url.startsWith("/client/")) {
    const file = path.join(clients, "node_modules/@nangohq/frontend/dist", path.basename(request.url));
    response.setHeader("content-type", "text/javascript");
    response.end(await readFile(file));
  } else {
    response.setHeader("content-type", "text/html");
    response.end(page);
  }
});
await new Promise((ready) => embedder.listen(0, "127.0.0.1", ready));
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM_BIN,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
const context = await browser.createBrowserContext();
const tab = await context.newPage();
await tab.goto(`http://127.0.0.1:${embedder.address().port}/`);
await tab.waitForFunction("window.ready");

const session = async (key, connection_config) => {
  const made = await nango.createConnectSession({
    end_user: { id: "u-1", email: "anna@example.com", display_name: "Anna" },
    allowed_integrations: [key],
    ...(connection_config ? { integrations_config_defaults: { [key]: { connection_config } } } : {}),
  });
  return made.data.token;
};
const within = async (how, key, options, filledIn) =>
  tab.evaluate((how, ...wanted) => window[how](...wanted), how, host, await session(key, filledIn), key, options);
const link = (key, credentials, params, filledIn) => within("link", key, { params, credentials }, filledIn);

/** The account can be called; its address can be any of the provider's. */
const callable = async (key, outcome) => {
  assert.ok(outcome.result, `${key}: ${JSON.stringify(outcome)}`);
  assert.equal(outcome.result.providerConfigKey, key);
  const call = { providerConfigKey: key, connectionId: outcome.result.connectionId };
  const answer = await nango.get({ ...call, endpoint: "/any/thing", params: { page: "2" } });
  assert.equal(answer.status, 200, key);
};
/** What the form has, spoilt in the last secret: nothing is stored, and the page is told why. */
const refused = (outcome, type) => {
  assert.ok(outcome.error?.known, JSON.stringify(outcome));
  assert.equal(outcome.error.type, type, JSON.stringify(outcome));
  assert.ok(outcome.error.message.length > 20, outcome.error.message);
};
const spoilt = (secret) => secret.slice(0, -1) + (secret.endsWith("1") ? "2" : "1");

for (const { id, mode, client, client_config } of Object.values(accounts)) {
  const credentials = client && { type: mode, client_id: client[0], client_secret: client[1] };
  await nango.createIntegration({
    provider: id,
    unique_key: id,
    ...(credentials ? { credentials, integration_config: client_config } : {}),
  });
}

step("API_KEY", async () => {
  const { secrets, config } = accounts["airtable-pat"];
  await callable("airtable-pat", await link("airtable-pat", { apiKey: secrets.apiKey }, config));
  refused(await link("airtable-pat", { apiKey: spoilt(secrets.apiKey) }, config), "connection_test_failed");
});

step("BASIC", async () => {
  const { secrets, config } = accounts.twilio;
  await callable("twilio", await link("twilio", secrets, config));
  const wrong = { ...secrets, password: spoilt(secrets.password) };
  refused(await link("twilio", wrong, config), "connection_test_failed");
});

step("OAUTH2_CC", async () => {
  const { secrets, config } = accounts["auth0-cc"];
  const { client_id, client_secret } = secrets;
  await callable("auth0-cc", await link("auth0-cc", { client_id, client_secret }, config));
  refused(await link("auth0-cc", { client_id, client_secret: spoilt(client_secret) }, config), "connection_test_failed");
});

step("OAUTH2_CC with a key that signs", async () => {
  const { secrets, config } = accounts["okta-cc"];
  const { client_id, client_secret } = secrets;
  await callable("okta-cc", await link("okta-cc", { client_id, client_private_key: client_secret }, config));
});

step("OAUTH2_CC with a client certificate", async () => {
  const { secrets, config, certificate } = accounts.adp;
  const { client_id, client_secret } = secrets;
  const [client_certificate, client_private_key] = certificate;
  const linked = await link("adp", { client_id, client_secret, client_certificate, client_private_key }, config);
  await callable("adp", linked);
  const alone = await link("adp", { client_id, client_secret, client_certificate }, config);
  refused(alone, "invalid_body");
});

step("TWO_STEP", async () => {
  const { secrets, config } = accounts.agencyzoom;
  await callable("agencyzoom", await link("agencyzoom", { type: "TWO_STEP", ...secrets }, config));
});

step("TWO_STEP with an assertion", async () => {
  const { secrets, config } = accounts["apple-business-manager"];
  const { privateKey, ...rest } = secrets;
  const options = { params: config, credentials: { type: "TWO_STEP", ...rest }, assertionOption: { privateKey } };
  await callable("apple-business-manager", await within("link", "apple-business-manager", options));
});

step("JWT", async () => {
  const { secrets, config } = accounts["ghost-admin"];
  const [id, secret] = secrets.privateKey.split(":");
  await callable("ghost-admin", await link("ghost-admin", { privateKey: { id, secret } }, config));
  await callable("ghost-admin", await link("ghost-admin", { type: "JWT", ...secrets }, config));
});

step("TBA, signed with the integration's client beside the token", async () => {
  const { secrets, config } = accounts["netsuite-tba"];
  const { token_id, token_secret } = secrets;
  await callable("netsuite-tba", await link("netsuite-tba", { token_id, token_secret }, config));
  const [oauth_client_id_override, oauth_client_secret_override] = accounts["netsuite-tba"].client;
  const own = { token_id, token_secret, oauth_client_id_override, oauth_client_secret_override };
  await callable("netsuite-tba", await link("netsuite-tba", own, config));
});

step("BILL", async () => {
  const { secrets, config } = accounts.bill;
  await callable("bill", await link("bill", secrets, config));
});

step("SIGNATURE", async () => {
  const { secrets, config } = accounts.emarsys;
  await callable("emarsys", await link("emarsys", { type: "SIGNATURE", ...secrets }, config));
  const wrong = { type: "SIGNATURE", ...secrets, password: spoilt(secrets.password) };
  refused(await link("emarsys", wrong, config), "connection_test_failed");
});

step("AWS_SIGV4, the role assumed with the integration's keys", async () => {
  const { secrets, config } = accounts["aws-sigv4"];
  const { region, service, ...rest } = config;
  const params = { ...rest, external_id: "external-1" };
  const credentials = { type: "AWS_SIGV4", role_arn: secrets.role_arn, region };
  await callable("aws-sigv4", await link("aws-sigv4", credentials, params, { service }));
  const other = { ...credentials, role_arn: spoilt(secrets.role_arn) };
  refused(await link("aws-sigv4", other, params, { service }), "connection_test_failed");
});

step("NONE", async () => {
  const { config } = accounts["youcanbook-me-public"];
  await callable("youcanbook-me-public", await within("create", "youcanbook-me-public", { params: config }));
});

step("an account that the vendor's side would begin", async () => {
  const options = { installation: "outbound", credentials: {} };
  refused(await within("link", "airtable-pat", options), "invalid_auth_mode");
});

step("another way than the provider's, and another integration than the session's", async () => {
  refused(await link("airtable-pat", { username: "a", password: "b" }, {}), "invalid_auth_mode");
  const token = await session("airtable-pat");
  const other = await tab.evaluate((...wanted) => window.link(...wanted), host, token, "twilio", { credentials: { apiKey: "k" } });
  refused(other, "integration_not_allowed");
  const { data: any } = await nango.createConnectSession({ end_user: { id: "u-1" } });
  const nobody = [host, any.token, "nobody", { credentials: { apiKey: "k" } }];
  const unknown = await tab.evaluate((...wanted) => window.link(...wanted), ...nobody);
  refused(unknown, "unknown_provider_config");
});

step("OAUTH1, in a window", async () => {
  // How accounts are confirmed is shown elsewhere.
  const change = await fetch(`${host}/environment`, {
    method: "PATCH",
    headers: { "content-type": "application/json", authorization: `Bearer ${process.env.API_KEY}` },
    body: JSON.stringify({ confirm_authorizations: false }),
  });
  assert.equal(change.status, 200);
  const token = await session("twitter");
  await tab.evaluate((...wanted) => (window.wanted = wanted), host, token, "twitter", { detectClosedAuthWindow: false });
  const opened = new Promise((found) => context.once("targetcreated", found));
  await tab.click("button");
  const popup = await (await opened).page();
  await popup.waitForSelector("main form button", { timeout: 15_000 });
  await popup.click("main form button");
  const outcome = await tab.evaluate(() => window.outcome);
  assert.equal(outcome.result?.isPending, false, JSON.stringify(outcome));
  await callable("twitter", outcome);
});

// Every step is tried, so that one failure does not hide the others.
let failed;
for (const [name, run] of steps) {
  try {
    await run();
    console.log(`ok - ${name}`);
  } catch (error) {
    failed ??= error;
    console.log(`not ok - ${name}: ${error.message}`);
  }
}
await browser.close();
embedder.close();
if (failed) throw failed;
console.log("all passed");
