// Accounts of every kind whose secrets are typed: what is typed, and where the account is called afterwards. The `hands` type and
// press, by pointing or by keys alone, in a page or in a frame of one.
import assert from "node:assert/strict";

import { url } from "./driver/server.mjs";
import { connection, LOGIN } from "./world.mjs";

const TOKEN = process.env.VENDOR_TOKEN;
const OTHER_TOKEN = process.env.VENDOR_OTHER_TOKEN;
const OOMNITZA = JSON.parse(process.env.OOMNITZA);

/** What things are called. */
export const NAME = { en: "Connection name", ja: "接続名" };
export const SUBDOMAIN = { en: "Subdomain", ja: "サブドメイン" };
export const DOMAIN = { en: /^Domain/, ja: /^ドメイン/ };
export const GUEST_SPACE = { en: /^Guest space ID/, ja: /^ゲストスペースID/ };
export const APP = { en: /^App ID/, ja: /^アプリID/ };
export const TOKENS = { en: /^API token/, ja: /^APIトークン/ };
export const BY_PASSWORD = { en: /^Login name and password/, ja: /^ログイン名とパスワード/ };
export const LOGIN_NAME = { en: "Login name", ja: "ログイン名" };
export const PASSWORD = { en: "Password", ja: "パスワード" };
export const TEST = { en: "Test", ja: "テスト" };
export const CREATE = { en: "Create", ja: "接続を作成" };
export const AVAILABLE = { en: "Connection available", ja: "接続できます" };
export const UNAVAILABLE = { en: "Connection unavailable", ja: "接続できません" };
export const KINTONE_APPS = { en: /^Kintone Apps/, ja: /^kintone / };
const BASIC = { en: "Basic authentication", ja: "Basic認証" };
const BASIC_USER = { en: /^Basic authentication user/, ja: /^Basic認証のユーザー名/ };
const BASIC_PASSWORD = { en: /^Basic authentication password/, ja: /^Basic認証のパスワード/ };
const ANOTHER_ROW = { en: "Add another", ja: "追加する" };
const ROWS = { en: /^More of them/, ja: /^追加で入力する/ };
const connectedTo = (en, ja) => ({ en: `You are now connected to ${en}`, ja: `${ja}に接続しました` });
export const TO_KINTONE = connectedTo("Kintone", "kintone");

/** The address of any page of the vendor's fills the fields that it tells of; without a script they are typed. */
async function address(hands, pasted, told) {
  if (hands.script) await hands.paste(SUBDOMAIN, pasted);
  for (const [label, value] of told) {
    if (hands.script) await hands.expectValue(label, value);
    else if (label === DOMAIN) await hands.choose(label, value);
    else await hands.type(label, value);
  }
}

/** The gate of the Japanese tenant. */
async function openGate(hands) {
  await hands.press(BASIC);
  await hands.type(BASIC_USER, "gate");
  await hands.type(BASIC_PASSWORD, "sample-gate-password");
}

export const ACCOUNTS = [
  {
    what: "API tokens of two apps",
    integrations: ["kintone"],
    connected: TO_KINTONE,
    call: "/k/v1/app.json?id=2",
    fill: async (hands) => {
      const told = [[SUBDOMAIN, "demo"], [APP, "1"]];
      await address(hands, "https://demo.kintone.com/k/1/show#record=5", told);
      await hands.type(TOKENS, TOKEN);
      await hands.press(hands.script ? ANOTHER_ROW : ROWS);
      const second = await hands.group({ en: "Number 2", ja: "2個目" });
      await second.type(APP, "2");
      await second.type(TOKENS, OTHER_TOKEN);
    },
  },
  {
    what: "a password behind Basic authentication",
    integrations: ["kintone"],
    connected: TO_KINTONE,
    call: "/k/v1/app.json?id=11",
    fill: async (hands) => {
      const told = [[SUBDOMAIN, "sample"], [DOMAIN, "cybozu.com"]];
      await address(hands, "https://sample.cybozu.com/k/#/portal", told);
      await hands.press(BY_PASSWORD);
      await hands.type(LOGIN_NAME, "sato");
      await hands.type(PASSWORD, "sample-password-sato");
      await openGate(hands);
    },
  },
  {
    what: "an app in a guest space",
    integrations: ["kintone"],
    connected: TO_KINTONE,
    call: "/k/v1/app.json?id=21",
    fill: async (hands) => {
      const told = [[SUBDOMAIN, "sample"], [DOMAIN, "cybozu.com"], [GUEST_SPACE, "5"], [APP, "21"]];
      await address(hands, "https://sample.cybozu.com/k/guest/5/21/", told);
      await hands.type(TOKENS, "sampleTokenGuestKadai0000000000000000000");
      await openGate(hands);
    },
  },
  {
    what: "the User API, out of the form of the other API",
    integrations: ["kintone", "kintone-user-api"],
    connected: connectedTo("Kintone User API", "cybozu.com共通管理 User API"),
    call: "/v1/users.json?size=1",
    begin: async (hands) => {
      await hands.press(KINTONE_APPS);
      await hands.press({ en: /^User API/, ja: /^User API/ });
      await hands.expectText({ en: "Connect Kintone User API", ja: "cybozu.com共通管理 User APIに接続" });
    },
    fill: async (hands) => {
      await hands.type(SUBDOMAIN, "demo");
      await hands.press(BY_PASSWORD);
      await hands.type(LOGIN_NAME, LOGIN.name);
      await hands.type(PASSWORD, LOGIN.password);
    },
  },
  {
    what: "Oomnitza",
    integrations: ["oomnitza"],
    connected: connectedTo("Oomnitza", "Oomnitza"),
    call: "/api/v3/assets/meta",
    fill: async (hands) => {
      await address(hands, `https://${OOMNITZA.subdomain}.oomnitza.com/login`, [[SUBDOMAIN, OOMNITZA.subdomain]]);
      await hands.type(TOKENS, OOMNITZA.token);
    },
  },
];

/** The account of a connection works for callers. */
export async function expectCallable(name, path) {
  const made = await connection(name);
  assert.ok(made, `there is no connection “${name}”`);
  const answer = await fetch(`${url}/proxy${path}`, {
    headers: {
      authorization: `Bearer ${process.env.API_KEY}`,
      "connection-id": made.connection_id,
      "provider-config-key": made.provider_config_key,
    },
  });
  assert.equal(answer.status, 200, await answer.text());
  return made;
}
