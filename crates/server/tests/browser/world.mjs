// What people and their back ends have arranged before somebody opens a page.
import { api, unique, url, vendor } from "./driver/server.mjs";

/** A login of the emulated vendor. */
export const LOGIN = { name: "anna", password: process.env.VENDOR_PASSWORD };
/** What no picture may show. */
export const SECRETS = [process.env.VENDOR_TOKEN, process.env.VENDOR_OTHER_TOKEN, LOGIN.password];
const ADMIN_PASSWORD = "the password of an administrator of these tests";

/** The cookie of somebody who is signed in and may do everything. */
export const admin = once(async () => {
  const { link } = await api("POST", "/users", { login: "admin@example.com", display_name: "Anna", role: "admin" });
  const token = decodeURIComponent(new URL(link).hash.slice(1));
  const answer = await fetch(`${url}/invitation`, {
    method: "POST",
    redirect: "manual",
    headers: { origin: url },
    body: new URLSearchParams({ token, password: ADMIN_PASSWORD, display_name: "Anna" }),
  });
  const [cookie] = answer.headers.getSetCookie();
  if (!cookie) throw new Error(`the invitation is answered with ${answer.status}: ${await answer.text()}`);
  const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
  return { name, value };
});

/** Signs somebody's browser in as an administrator. */
export async function signIn(person) {
  await person.context.setCookie({ ...(await admin()), domain: "localhost", path: "/", httpOnly: true, sameSite: "Lax" });
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

/** A session in which the account of a connection is linked again. */
export async function again() {
  const { connection_id, provider_config_key } = await connect();
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
