// The published back-end client of the compatible API, unchanged, against this server: only its `host` is another one.
// BASE_URL, API_KEY (with every right and that of reading credentials) and VENDOR_TOKEN come from the test.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.NPM_CLIENTS_DIR}/package.json`);
const { Nango } = require("@nangohq/node");

const host = process.env.BASE_URL;
const nango = new Nango({ host, apiKey: process.env.API_KEY });
const steps = [];
const step = (name, run) => steps.push([name, run]);
const fails = async (promise, status, code) => {
  const error = await promise.then(
    () => assert.fail("it should have failed"),
    (error) => error,
  );
  assert.equal(error.response?.status, status, JSON.stringify(error.response?.data ?? String(error)));
  assert.equal(error.response.data.error.code, code);
  assert.ok(error.response.data.error.message.length > 10);
};
/** What the compatible front-end client sends for a key. */
const link = async (token, key, credentials, params) => {
  const query = new URLSearchParams({ connect_session_token: token });
  for (const [name, value] of Object.entries(params)) query.append(`params[${name}]`, value);
  const answer = await fetch(`${host}/api-auth/api-key/${key}?${query}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(credentials),
  });
  return { status: answer.status, body: await answer.json() };
};
const tenant = { subdomain: "demo", domain: "kintone.com", app: "1" };

step("providers are listed and read", async () => {
  const { data } = await nango.listProviders({});
  const kintone = data.find((provider) => provider.name === "kintone");
  assert.equal(kintone.display_name, "Kintone");
  const { data: one } = await nango.getProvider({ provider: "kintone" });
  assert.equal(one.connection_config.subdomain.type, "string");
  assert.equal(one.auth_mode, "API_KEY");
  await fails(nango.getProvider({ provider: "nothing" }), 404, "unknown_provider");
});

step("integrations are made, listed, changed and deleted", async () => {
  const made = await nango.createIntegration({ provider: "kintone", unique_key: "main", display_name: "Main" });
  assert.equal(made.data.unique_key, "main");
  const { configs } = await nango.listIntegrations().then((all) => ({ configs: all.configs ?? all.data }));
  assert.ok(configs.some((one) => one.unique_key === "main" && one.provider === "kintone"));
  await nango.updateIntegration({ uniqueKey: "main" }, { display_name: "Renamed" });
  const { data } = await nango.getIntegration({ uniqueKey: "main" }, { include: ["webhook", "credentials"] });
  assert.equal(data.display_name, "Renamed");
  await nango.createIntegration({ provider: "kintone", unique_key: "spare" });
  await nango.deleteIntegration("spare");
  await fails(nango.getIntegration({ uniqueKey: "spare" }), 404, "unknown_provider_config");
  await fails(nango.createIntegration({ provider: "nothing", unique_key: "x" }), 400, "invalid_body");
});

step("an integration brings its OAuth client along", async () => {
  await nango.createIntegration({
    provider: "kintone",
    unique_key: "with-client",
    credentials: { type: "OAUTH2", client_id: "the-id", client_secret: "MARKER-client-secret", scopes: "k:app_record:read" },
    integration_config: { subdomain: "demo", domain: "kintone.com" },
  });
  const { data } = await nango.getIntegration({ uniqueKey: "with-client" }, { include: ["credentials"] });
  assert.equal(data.credentials.client_id, "the-id");
  assert.equal(data.credentials.scopes, "k:app_record:read");
  assert.match(data.credentials.redirect_uri, /\/oauth\/callback\/.{20,}/);
  assert.ok(!JSON.stringify(data).includes("MARKER-client-secret"));
});

step("a session links an account, and its end user finds it", async () => {
  const session = await nango.createConnectSession({
    end_user: { id: "u-1", email: "anna@example.com", display_name: "Anna" },
    organization: { id: "o-1", display_name: "Acme" },
    allowed_integrations: ["main"],
    integrations_config_defaults: { main: { connection_config: { subdomain: "demo" } } },
    tags: { Plan: "pro" },
  });
  const { token, connect_link, expires_at } = session.data;
  assert.ok(connect_link.endsWith(`/connect/default/?session_token=${token}`));
  assert.ok(new Date(expires_at) > new Date(0));

  const browser = { headers: { authorization: `Bearer ${token}` } };
  const own = await fetch(`${host}/connect/session`, browser).then((answer) => answer.json());
  assert.equal(own.data.endUser.organization.display_name, "Acme");
  assert.deepEqual(own.data.allowed_integrations, ["main"]);
  const visible = await fetch(`${host}/integrations`, browser).then((answer) => answer.json());
  assert.deepEqual(visible.data.map((one) => one.unique_key), ["main"]);
  assert.equal((await fetch(`${host}/connections`, browser)).status, 401);

  const wrong = await link(token, "main", { apiKey: "wrongTokenThatNobodyKnows0000000000000000" }, tenant);
  assert.equal(wrong.status, 400, JSON.stringify(wrong.body));
  assert.equal(wrong.body.error.code, "connection_test_failed");
  assert.equal((await link(token, "with-client", { apiKey: "x" }, tenant)).body.error.code, "integration_not_allowed");
  // What the embedder filled in stays: another subdomain does not get the credential.
  const linked = await link(token, "main", { apiKey: process.env.VENDOR_TOKEN }, { ...tenant, subdomain: "sample" });
  assert.equal(linked.status, 200, JSON.stringify(linked.body));
  assert.equal(linked.body.providerConfigKey, "main");
  const again = await link(token, "main", { apiKey: process.env.VENDOR_TOKEN }, tenant);
  assert.equal(again.body.error.code, "unknown_connect_session_token");

  const waited = await nango.waitForConnection("main", "u-1");
  assert.equal(waited.connection_id, linked.body.connectionId);
  assert.equal(waited.end_user.email, "anna@example.com");
  const { connections } = await nango.listConnections({
    integrationId: ["main", "with-client"],
    tags: { displayName: "Anna", plan: "pro" },
    limit: 5,
  });
  assert.deepEqual(connections.map((one) => one.connection_id), [linked.body.connectionId]);
  assert.equal((await nango.listConnections({ tags: { plan: "free" } })).connections.length, 0);
  assert.equal((await nango.listConnections({ limit: 5, page: 3 })).connections.length, 0);
  globalThis.connection = linked.body.connectionId;
});

step("a connection is read without its secret", async () => {
  const found = await nango.getConnection("main", connection);
  assert.equal(found.connection_config.subdomain, "demo");
  assert.equal(found.credentials.type, "API_KEY");
  assert.ok(!JSON.stringify(found).includes(process.env.VENDOR_TOKEN));
  const token = await nango.getToken("main", connection);
  assert.deepEqual(token, { type: "API_KEY" });
  await fails(nango.getConnection("main", "nothing"), 404, "unknown_connection");
  await fails(nango.getConnection("main", connection, false, true), 403, "forbidden");
});

step("metadata is replaced and merged", async () => {
  await nango.setMetadata("main", connection, { a: 1, b: { c: 2 } });
  assert.deepEqual(await nango.getMetadata("main", connection), { a: 1, b: { c: 2 } });
  await nango.updateMetadata("main", [connection], { b: 3 });
  assert.deepEqual(await nango.getMetadata("main", connection), { a: 1, b: 3 });
  await fails(nango.setMetadata("main", "nothing", { a: 1 }), 404, "unknown_connection");
});

step("a connection changes hands", async () => {
  await nango.patchConnection(
    { connectionId: connection, provider_config_key: "main" },
    { end_user: { id: "u-2", display_name: "Ben" }, tags: { plan: "free" } },
  );
  const found = await nango.getConnection("main", connection);
  assert.equal(found.end_user.id, "u-2");
  assert.equal(found.tags.end_user_id, "u-2");
  assert.equal((await nango.listConnections({ userId: "u-1" })).connections.length, 0);
  assert.equal((await nango.listConnections({ userId: "u-2" })).connections.length, 1);
});

step("the proxy carries every method", async () => {
  const call = { providerConfigKey: "main", connectionId: connection };
  const records = "/k/v1/records.json";
  const made = await nango.post({
    ...call,
    endpoint: records,
    data: { app: 1, records: [{ customer_code: { value: "SDK-1" }, company: { value: "Through a client" } }] },
  });
  assert.equal(made.status, 200);
  const [id] = made.data.ids;
  await nango.put({
    ...call,
    endpoint: "/k/v1/record.json",
    data: { app: 1, id, record: { company: { value: "Changed" } } },
  });
  const read = await nango.get({ ...call, endpoint: "/k/v1/record.json", params: { app: 1, id }, retries: 2 });
  assert.equal(read.data.record.company.value, "Changed");
  await nango.delete({ ...call, endpoint: records, params: { app: 1, "ids[0]": id } });
  const gone = await nango
    .proxy({ ...call, method: "GET", endpoint: `/k/v1/record.json?app=1&id=${id}` })
    .catch((error) => error.response);
  assert.equal(gone.status, 404);
  assert.equal(gone.data.code, "GAIA_RE01");
});

step("an account is linked again", async () => {
  const session = await nango.createReconnectSession({ connection_id: connection, integration_id: "main" });
  const linked = await link(session.data.token, "main", { apiKey: process.env.VENDOR_TOKEN }, {});
  assert.equal(linked.status, 200, JSON.stringify(linked.body));
  assert.equal(linked.body.connectionId, connection);
  const found = await nango.getConnection("main", connection);
  assert.deepEqual([found.metadata, found.end_user.id], [{ a: 1, b: 3 }, "u-2"]);
  await fails(
    nango.createReconnectSession({ connection_id: "nothing", integration_id: "main" }),
    400,
    "invalid_body",
  );
});

step("bodies that do not fit say where", async () => {
  for (const [body, path] of [
    [{ end_user: { id: "u" }, allowed_integrations: ["nothing"] }, ["allowed_integrations", "0"]],
    [{ end_user: { id: "u", email: "no address" } }, ["end_user", "email"]],
    [{ end_user: { id: "u" }, colour: "red" }, ["colour"]],
    [{}, ["end_user"]],
  ]) {
    const error = await nango.createConnectSession(body).then(
      () => assert.fail("it should have failed"),
      (error) => error.response.data.error,
    );
    assert.equal(error.code, "invalid_body");
    assert.deepEqual(error.errors[0].path, path, JSON.stringify(error));
  }
});

step("connections are taken over", async () => {
  const take = (body) =>
    fetch(`${host}/connections`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${process.env.API_KEY}` },
      body: JSON.stringify(body),
    });
  const body = {
    provider_config_key: "main",
    connection_id: "from-elsewhere",
    credentials: { type: "API_KEY", apiKey: process.env.VENDOR_TOKEN },
    connection_config: tenant,
    metadata: { old: true },
    tags: { plan: "pro" },
  };
  const made = await take(body);
  assert.equal(made.status, 201);
  const first = await made.json();
  assert.equal(first.connection_id, "from-elsewhere");
  const second = await take({ ...body, metadata: undefined }).then((answer) => answer.json());
  assert.equal(second.id, first.id, "the same connection gets the credentials");
  const wrong = await take({ ...body, credentials: { type: "API_KEY", apiKey: "x".repeat(40) } });
  assert.equal(wrong.status, 400);
  assert.equal((await wrong.json()).error.code, "connection_test_failed");
  const other = await take({ ...body, credentials: { type: "JWT" } });
  assert.equal((await other.json()).error.code, "invalid_body");
});

step("variables of the environment are read", async () => {
  const answer = await fetch(`${host}/environment-variables/API_BASE`, {
    method: "PUT",
    headers: { "content-type": "application/json", authorization: `Bearer ${process.env.API_KEY}` },
    body: JSON.stringify({ value: "https://a.example" }),
  });
  assert.equal(answer.status, 200);
  assert.deepEqual(await nango.getEnvironmentVariables(), [{ name: "API_BASE", value: "https://a.example" }]);
});

step("what is not there says so", async () => {
  await fails(nango.listRecords({ providerConfigKey: "main", connectionId: connection, model: "X" }), 501, "not_available");
  await fails(nango.triggerSync("main", ["x"], connection), 501, "not_available");
  await fails(nango.triggerAction("main", connection, "x", {}), 501, "not_available");
});

step("a connection is deleted", async () => {
  await nango.deleteConnection("main", connection);
  await fails(nango.getConnection("main", connection), 404, "unknown_connection");
});

for (const [name, run] of steps) {
  await run();
  console.log(`ok - ${name}`);
}
console.log("all passed");
