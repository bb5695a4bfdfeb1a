// Signing in with an identity provider from npm that knows nothing of us. It stands at https://login.example.com, which the server
// reaches on this machine, and the browser at localhost.
import assert from "node:assert/strict";
import http from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { eventually } from "./driver/eventually.mjs";
import { api, unique, url } from "./driver/server.mjs";
import { run, step } from "./driver/suite.mjs";
import { admin, signIn } from "./world.mjs";

const HOST = "login.example.com";
const load = (file) => import(pathToFileURL(path.join(process.env.NPM_CLIENTS_DIR, "node_modules", file)));
const { Provider } = await load("oidc-provider/lib/index.js");
// It warns of everything that is for tests only, which this is.
console.warn = () => {};
const provider = new Provider(`https://${HOST}`, {
  clients: [
    {
      client_id: "tombolo",
      client_secret: process.env.OIDC_CLIENT_SECRET,
      redirect_uris: [`${url}/sign-in/callback`],
      grant_types: ["authorization_code"],
    },
  ],
  cookies: { keys: ["a key of this test"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  // Whoever logs in as `doubtful…` has an address that nobody has looked at.
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: !id.startsWith("doubtful"), name: `Person ${id}` }),
  }),
});
provider.proxy = true;
const answer = provider.callback();
const server = http.createServer((request, response) => {
  if (request.headers.host === HOST) request.headers["x-forwarded-proto"] = "https";
  answer(request, response);
});
await new Promise((ready) => server.listen(Number(process.env.IDENTITY_PROVIDER_PORT), "127.0.0.1", ready));

const SIGN_IN = { en: "Sign in with Example ID", ja: "Example IDでログイン" };

/** Logs in at the provider, and agrees. */
async function logIn(tab, login) {
  // Pages of ours have fields of these names as well.
  await tab.expect("input[name=prompt][value=login]");
  await (await tab.expect("input[name=login]")).type(login);
  await (await tab.expect("input[name=password]")).type("any");
  await tab.pressOn("button[type=submit]");
  await tab.expect("input[name=prompt][value=consent]");
  await tab.pressOn("button[type=submit]");
}

/** Somebody whom nobody knows yet, and whom somebody may invite. */
async function stranger(browser, { invited, options, login = unique("ben").replace(" ", "") } = {}) {
  await admin();
  if (invited) await api("POST", "/users", { login: `${login}@example.com`, role: invited });
  const person = await browser.person(options);
  const tab = await person.tab();
  await tab.open(`${url}/sign-in?return=/profile%3Ffrom%3Dthere`);
  return { tab, login, person };
}

for (const language of ["en", "ja"]) {
  step(`whoever is invited signs in, and comes back to where they wanted to be (${language})`, async (browsers) => {
    const { tab, login } = await stranger(browsers[language], { invited: "viewer" });
    await tab.expectNoViolations();
    await tab.press(SIGN_IN);
    await logIn(tab, login);
    await tab.expectText(`${login}@example.com`);
    assert.equal(tab.page.url(), `${url}/profile?from=there`);
    await tab.expectText({ en: "You sign in with Example ID.", ja: "Example IDでログインできます。" });
  });

  step(`whoever is not invited is told so (${language})`, async (browsers) => {
    const { tab, login } = await stranger(browsers[language]);
    await tab.press(SIGN_IN);
    await logIn(tab, login);
    await tab.expectText({ en: "nobody has let you in here", ja: "利用は許可されていません" });
    await tab.expectNoViolations();
  });
}

step("an address that nobody has looked at opens no invitation", async ({ en }) => {
  const login = unique("doubtful").replace(" ", "");
  const { tab } = await stranger(en, { invited: "viewer", login });
  await tab.press(SIGN_IN);
  await logIn(tab, login);
  await tab.expectText("Your mail address is not confirmed there.");
});

step("whoever breaks off there is told what to do", async ({ en }) => {
  const { tab } = await stranger(en);
  await tab.press(SIGN_IN);
  await tab.expect("input[name=prompt][value=login]");
  await tab.page.goto(await tab.page.$eval("a[href*=abort]", (link) => link.href));
  await tab.expectText("The sign-in was refused or broken off there.");
});

step("without a script", async ({ en }) => {
  const { tab, login } = await stranger(en, { invited: "member", options: { script: false } });
  await tab.press(SIGN_IN);
  await logIn(tab, login);
  await tab.expectText(`${login}@example.com`);
});

step("an answer in another browser is refused, and is spent", async ({ en }) => {
  const { tab, login } = await stranger(en, { invited: "viewer" });
  let callback;
  await tab.page.setRequestInterception(true);
  tab.page.on("request", (request) => {
    if (request.url().startsWith(`${url}/sign-in/callback`) && !callback) {
      callback = request.url();
      request.respond({ status: 204, body: "" });
    } else {
      request.continue();
    }
  });
  await tab.press(SIGN_IN);
  await logIn(tab, login);
  await eventually("the provider sends nobody back", () => callback);
  const other = await (await en.person()).tab();
  await other.open(callback);
  await other.expectText("This sign-in was begun in another browser.");
  await tab.open(callback);
  await tab.expectText("This sign-in was finished already");
});

step("whoever has a password links their account on their profile", async ({ en }) => {
  const person = await en.person();
  await signIn(person);
  const tab = await person.tab();
  await tab.open(`${url}/profile`);
  await tab.expectText("You do not sign in with Example ID yet.");
  await tab.press("Link sign-in");
  await logIn(tab, "somebody-else-by-name");
  await tab.expectText("You sign in with Example ID.");
  await tab.expectNoViolations();
});

await run(() => new Promise((closed) => server.close(closed) && server.closeAllConnections()));
