// What people and their back ends have arranged before somebody opens a page.
import { eventually } from "./driver/eventually.mjs";
import { api, unique, url, vendor } from "./driver/server.mjs";

/** A login of the emulated vendor. */
export const LOGIN = { name: "anna", password: process.env.VENDOR_PASSWORD };
/** What no picture may show. */
export const SECRETS = [process.env.VENDOR_TOKEN, process.env.VENDOR_OTHER_TOKEN, LOGIN.password];
const ADMIN_PASSWORD = "the password of an administrator of these tests";

/** Invites somebody; answers the secret of the link with which they choose a password. */
export async function invited(role, display_name = role) {
  const login = `${unique(role).replace(" ", "")}@example.com`;
  const { link, id } = await api("POST", "/users", { login, display_name, role });
  return { login, token: decodeURIComponent(new URL(link).hash.slice(1)), id };
}

/** The cookie of somebody who is signed in and has a role. */
async function signedIn(role, display_name) {
  const { token } = await invited(role, display_name);
  const answer = await fetch(`${url}/invitation`, {
    method: "POST",
    redirect: "manual",
    headers: { origin: url },
    body: new URLSearchParams({ token, password: ADMIN_PASSWORD, display_name }),
  });
  const [cookie] = answer.headers.getSetCookie();
  if (!cookie) throw new Error(`the invitation is answered with ${answer.status}: ${await answer.text()}`);
  const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
  return { name, value };
}

/** Cookies by role. */
const cookies = {
  admin: once(() => signedIn("admin", "Anna")),
  member: once(() => signedIn("member", "Ben")),
  viewer: once(() => signedIn("viewer", "Chie")),
};
/** The cookie of somebody who is signed in and may do everything. */
export const admin = cookies.admin;
export const cookieOf = (role) => cookies[role]();

/** Signs somebody's browser in. */
export async function signIn(person, role = "admin") {
  await person.context.setCookie({ ...(await cookieOf(role)), domain: "localhost", path: "/", httpOnly: true, sameSite: "Lax" });
}

/** A connection to the first app of the emulated vendor. */
export async function connect(name = unique("Sales")) {
  const made = await api("POST", "/connections", {
    provider_config_key: "kintone",
    name,
    auth_scheme: "api_token",
    fields: { subdomain: "demo", domain: "kintone.com", token: [process.env.VENDOR_TOKEN], app: "1" },
  });
  return made.connection ?? made;
}

/** A connection that is there for everybody who wants to look at one. */
export const linked = once(() => connect());
/** The name of an OAuth client that is. */
export const registered = once(() => oauthClient());
/** Jobs that wait, and one that has failed for good. */
export const [WAITING_JOB, LATER_JOB, DEAD_JOB] = JSON.parse(process.env.JOBS ?? "[]");
/** An environment in which nothing has happened. */
export const EMPTY = "other";

/** A call through a connection; answers its status. */
export async function call(path, { connection_id, provider_config_key }) {
  const headers = { authorization: `Bearer ${process.env.API_KEY}`, "connection-id": connection_id, "provider-config-key": provider_config_key };
  const answer = await fetch(`${url}/proxy${path}`, { headers });
  await answer.arrayBuffer();
  return answer.status;
}

/** The newest call in the log whose path begins so, once it is there. */
export const logged = (path) =>
  eventually(`${path} is not in the log`, async () => {
    const { calls } = await api("GET", `/activity?limit=50`);
    return calls.find((one) => one.path.startsWith(path));
  });

/** Calls that went well and badly; answers what the log calls them. */
export const called = once(async () => {
  const made = await linked();
  await call("/k/v1/records.json?app=1&query=limit%201", made);
  await call("/k/v1/record.json?app=1&id=999999", made);
  const [good, bad] = [await logged("/k/v1/records.json"), await logged("/k/v1/record.json")];
  return { good: good.request_id, bad: bad.request_id };
});

/** A receiver of webhooks with a delivery that has ended, well or at first badly; answers the ids of both. */
async function receiver(name, path, isDone) {
  const made = await api("POST", "/webhooks", { name, url: `https://hooks.example.com${path}`, event_types: ["connection.*"] });
  await api("POST", `/webhooks/${made.id}/test`);
  const delivery = await eventually(`nothing is delivered to ${name}`, async () => {
    const { deliveries } = await api("GET", `/webhook-deliveries?webhook=${made.id}`);
    return deliveries.find(isDone);
  });
  return { id: made.id, delivery: delivery.id };
}
export const receiving = once(() => receiver("Warehouse", "/in", ({ state }) => state === "delivered"));
export const failing = once(() => receiver("Broken", "/broken", ({ attempts }) => attempts > 0));

/** Somebody who is told what happens. */
export const recipient = once(() =>
  api("POST", "/notification-recipients", { name: "Operations", channel: "mail", address: "operations@example.com" }),
);

/** A connection that does not work any more. */
export const broken = once(async () => {
  const name = unique("Broken");
  const made = await api("POST", "/connections", {
    provider_config_key: "kintone",
    name,
    auth_scheme: "api_token",
    fields: { subdomain: "demo", domain: "kintone.com", token: ["wrongTokenThatNobodyKnows0000000000000000"], app: "1" },
    test: false,
  });
  const one = made.connection ?? made;
  await api("POST", `/connections/${one.id}/test`, {});
  return one;
});

/** An OAuth client that is registered with the emulated vendor; answers its name. */
export async function oauthClient() {
  const name = unique("Client");
  const made = await api("POST", "/oauth-clients", { name, provider: "kintone", config: { subdomain: "demo" } });
  const { id, secret } = await vendor("POST", "oauth-clients", { redirect_uris: [made.redirect_uri] });
  await api("PATCH", `/oauth-clients/${encodeURIComponent(name)}`, { client_id: id, client_secret: secret });
  return name;
}

/** A link for a person, with which they link an account in their browser. */
export async function link(change = {}) {
  const wanted = { integration: "kintone", name: unique("Sales"), fields: { app: "1" }, ...change };
  return api("POST", "/authorizations", { oauth_client: await oauthClient(), ...wanted });
}

/** A session for an end user of the embedder: its token, and the link with which it is opened by itself. */
export async function session(change = {}) {
  const user = { id: "u-1", email: "anna@example.com", display_name: "Anna" };
  const made = await api("POST", "/connect/sessions", { end_user: user, allowed_integrations: ["kintone"], ...change });
  return { token: made.data.token, link: made.data.connect_link };
}

/** A session in which the account of a connection is linked again: of this one, or of one that is made for it. */
export async function again(made) {
  const { connection_id, provider_config_key } = made ?? (await connect());
  const answer = await api("POST", "/connect/sessions/reconnect", { connection_id, integration_id: provider_config_key });
  return { token: answer.data.token, link: answer.data.connect_link };
}

/** The connection of a name, as the API has it; undefined when there is none. */
export async function connection(name) {
  const { connections } = await api("GET", "/connections");
  return connections.find((one) => one.name === name);
}

/** Logs in at the vendor and agrees, or does not. The tab comes back to us by itself. */
export async function decide(tab, decision = "allow") {
  await tab.expect("button[name=decision]");
  if (decision === "allow") {
    await (await tab.expect("input[name=login_name]")).type(LOGIN.name);
    await (await tab.expect("input[name=password]")).type(LOGIN.password);
  }
  await tab.pressOn(`button[name=decision][value=${decision}]`);
}

/** What is arranged when somebody first asks for it, and then stands. */
function once(arrange) {
  let arranged;
  return () => (arranged ??= arrange());
}
