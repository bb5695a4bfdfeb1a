// Where the clients find a tenant that holds the built-in seed, and with which credential.
//
//   BASE_URL         for example http://localhost:8080/t/demo
//   API_TOKENS       comma-separated tokens of the apps Customers, Orders and Products; or
//   USERNAME_, PASSWORD  a user (USERNAME is taken by some shells)
//   BASIC_USERNAME, BASIC_PASSWORD  the gate in front, if there is one
//   THROUGH_PROXY    set when a proxy stands in between
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { env } = process;

if (!env.BASE_URL || !(env.API_TOKENS || env.USERNAME_)) {
  console.error("Set BASE_URL, and API_TOKENS or USERNAME_ and PASSWORD.");
  process.exit(2);
}

export const baseUrl = env.BASE_URL;
export const tokens = env.API_TOKENS?.split(",");
export const user = env.USERNAME_ && { username: env.USERNAME_, password: env.PASSWORD };
export const basic = env.BASIC_USERNAME && { username: env.BASIC_USERNAME, password: env.BASIC_PASSWORD };
// Set when BASE_URL leads through a proxy that knows the guest space by itself.
export const throughProxy = Boolean(env.THROUGH_PROXY);
export const apps = { customers: 1, orders: 2, products: 3 };

// The clients are installed apart from this folder: NPM_CLIENTS_DIR holds node_modules.
const clients = env.NPM_CLIENTS_DIR ?? import.meta.dirname;
const require = createRequire(pathToFileURL(join(clients, "package.json")));
export const { KintoneRestAPIClient, KintoneRestAPIError } = require("@kintone/rest-api-client");
export const cli = join(clients, "node_modules", ".bin", "cli-kintone");

export function client(overrides = {}) {
  return new KintoneRestAPIClient({
    baseUrl,
    auth: user ?? { apiToken: tokens },
    ...(basic && { basicAuth: basic }),
    ...overrides,
  });
}

let failed = 0;

// Runs one named step and goes on when it fails, so that one report shows everything.
export async function step(name, run) {
  try {
    await run();
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    const details = error.errors ? ` ${JSON.stringify(error.errors)}` : "";
    console.log(`FAIL ${name}: ${error.stack ?? error}${details}`);
  }
}

export function finish() {
  console.log(failed ? `${failed} failed` : "all passed");
  process.exitCode = failed ? 1 : 0;
}
