// Texts that would do harm if a page took them for anything but text, wherever somebody can put one: in provider files, names
// of integrations, people and connections, and in what is typed.
import assert from "node:assert/strict";

import { api, unique, url } from "./driver/server.mjs";
import { run, step } from "./driver/suite.mjs";
import { connect, SECRETS, session, signIn } from "./world.mjs";

/** Markup, quotes, another direction that is not closed, several characters in one picture, and no place to break a line. */
const BAD = `<script>window.owned=1</script><img src=x onerror=window.owned=1>"'>&lt;b&gt; </textarea></select>{{7*7}} שלום‮ 😀👩‍👩‍👧 `;
const LONG = "W".repeat(80);
const hostile = (name) => `${name} ${BAD}${LONG}`;

await api("POST", "/integrations", { provider: "kintone", unique_key: "named", display_name: hostile("integration").slice(0, 200) });

/** The page shows the texts as they are, and nothing in them has had an effect. */
async function expectHarmless(tab, ...texts) {
  for (const text of texts) await tab.expectText(text);
  assert.equal(await tab.page.evaluate(() => window.owned), undefined);
  const foreign = await tab.page.$$eval("script:not([src]), img[src=x]", (all) => all.map((one) => one.outerHTML));
  assert.deepEqual(foreign, []);
  for (const width of [1280, 320]) {
    await tab.look({ theme: "light", width });
    await tab.expectNoViolations();
  }
}

/** A text as a browser shows it: several blanks are one. */
const start = (name) => `${name} ${BAD}`.trim();

const somebody = {
  end_user: { id: "u-1", display_name: hostile("user").slice(0, 200) },
  organization: { id: "o-1", display_name: hostile("organization").slice(0, 200) },
};

step("a provider file, people and integrations in the list to choose from", async (browsers) => {
  for (const browser of Object.values(browsers)) {
    const tab = await (await browser.person()).tab();
    await tab.open((await session({ ...somebody, allowed_integrations: ["hostile", "named", "kintone"] })).link);
    await expectHarmless(tab, start("name"), start("description"), start("integration"), start("user"), start("organization"));
  }
});

step("a provider file in a form, with its faults and a test that fails", async (browsers) => {
  for (const browser of Object.values(browsers)) {
    const tab = await (await browser.person()).tab();
    await tab.open((await session({ ...somebody, allowed_integrations: ["hostile"] })).link);
    await tab.page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
    const texts = ["label", "help", "step", "prefix", "suffix", "region", "choice", "scheme", "explain", "token"];
    await expectHarmless(tab, ...texts.map(start));
    await (await tab.expect("input[name='c.subdomain']")).type("acme");
    await (await tab.expect("input[name='s.api_token.token']")).type("nothing");
    await tab.press({ en: "Test", ja: "テスト" });
    await tab.expectText({ en: "Connection unavailable", ja: "接続できません" });
    await expectHarmless(tab);
  }
});

for (const script of [true, false]) {
  step(`what somebody types, ${script ? "with" : "without"} a script`, async ({ en }) => {
    const tab = await (await en.person({ script })).tab();
    await tab.open((await session()).link);
    const name = unique(`${BAD}`.slice(0, 200));
    const put = async (selector, text) => {
      const field = await tab.expect(selector);
      await field.evaluate((input, text) => (input.value = text), text);
    };
    await put("#name", name);
    await put("input[name='c.subdomain']", hostile("typed"));
    await put("input[name='s.api_token.app']", hostile("app"));
    await put("input[name='s.api_token.token']", hostile("token"));
    await tab.press("Create");
    await tab.expect("[aria-invalid=true]");
    await tab.page.setJavaScriptEnabled(true);
    await expectHarmless(tab);
    await put("input[name='c.subdomain']", "demo");
    await put("input[name='s.api_token.app']", "1");
    await put("input[name='s.api_token.token']", SECRETS[0]);
    await tab.press("Create");
    await tab.expectText("You are now connected to Kintone");
    await expectHarmless(tab, name.replaceAll(/\s+/g, " ").trim());
  });
}

step("what stands in an address", async ({ en }) => {
  const tab = await (await en.person()).tab();
  const query = encodeURIComponent(hostile("query"));
  for (const address of [
    `${url}/connect/${query}/`,
    `${url}/connect/default/?session_token=${query}`,
    `${url}/connect/default/?lang=${query}&theme=${query}&integration=${query}&apiURL=${query}`,
    `${(await session()).link}&integration=${query}`,
    `${url}/oauth/start/${query}`,
  ]) {
    await tab.open(address);
    await expectHarmless(tab);
  }
});

step("the dashboard", async (browsers) => {
  const made = await connect(hostile("connection").slice(0, 200));
  await api("POST", "/oauth-clients", { name: hostile("client").slice(0, 200), provider: "kintone", config: { subdomain: "demo" } });
  await api("POST", "/api-keys", { display_name: hostile("key").slice(0, 200), scopes: ["environment:*"] });
  const paths = ["", "/connections", `/connections/${made.id}`, `/connections/${made.id}/delete`, "/connections/new"];
  paths.push("/connections/new/hostile", "/integrations", "/integrations/named", "/catalog", "/api-keys", "/audit", "/environments");
  paths.push(`/connections?search=${encodeURIComponent(BAD)}&tag=${encodeURIComponent(BAD)}`, `/catalog?search=${encodeURIComponent(BAD)}`);
  for (const browser of Object.values(browsers)) {
    const person = await browser.person();
    await signIn(person);
    const tab = await person.tab();
    for (const path of paths) {
      await tab.open(`${url}/dashboard/default${path}`);
      await expectHarmless(tab);
    }
    await tab.open(`${url}/dashboard/default/connections`);
    await expectHarmless(tab, start("connection"));
  }
});

await run();
