// The published back-end client of the compatible API, unchanged, after a switch: its host is another one, its key is not.
// BASE_URL, API_KEY, UNUSUAL_ID and REFRESH_TOKEN come from the test.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.NPM_CLIENTS_DIR}/package.json`);
const { Nango } = require("@nangohq/node");
const nango = new Nango({ host: process.env.BASE_URL, apiKey: process.env.API_KEY });

const { connections } = await nango.listConnections({ integrationId: ["main", "with client"] });
const ids = connections.map((one) => one.connection_id).sort();
assert.deepEqual(ids, ["anna", "u-1", "x".repeat(255), process.env.UNUSUAL_ID].sort());

const found = await nango.getConnection("main", "u-1");
assert.equal(found.end_user.organization.id, "o-1");
assert.deepEqual([found.metadata, found.tags.plan], [{ a: { b: [1] } }, "pro"]);
// The client puts an id into the address as it is, so whoever has such ids encodes them.
const unusual = await nango.getConnection("main", encodeURIComponent(process.env.UNUSUAL_ID));
assert.equal(unusual.connection_id, process.env.UNUSUAL_ID);

const person = await nango.getConnection("with client", "anna");
assert.equal(person.credentials.type, "OAUTH2");
assert.ok(person.credentials.access_token.length > 10);
assert.ok(!JSON.stringify(person).includes(process.env.REFRESH_TOKEN));

for (const [providerConfigKey, connectionId] of [["main", "u-1"], ["with client", "anna"], ["main", "x".repeat(255)]]) {
  const answer = await nango.get({ providerConfigKey, connectionId, endpoint: "/k/v1/records.json", params: { app: 1 } });
  assert.equal(answer.status, 200, connectionId);
}
console.log("all passed");
