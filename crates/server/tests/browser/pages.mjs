// Every page and every state of it that somebody can come to: one line each. The test of all pages, the pictures and the
// measurements go through this list, so whoever makes a page adds it here and nowhere else.
//
// `area`, `page` and `state` name it. `address` answers where it is; it is asked once for each language, so what can be used
// once is made anew. `reach` goes on from there to the state. `as: "admin"` is for who is signed in. What changes the
// environment for everybody is `alone`, and `first` what is only there before anybody is signed in.
import { api, unique, url } from "./driver/server.mjs";
import { admin, again, decide, link, linked, registered, session } from "./world.mjs";

const GO_ON = { en: "Go on", ja: "次へ進む" };

const TEST = { en: "Test", ja: "テスト" };
const CREATE = { en: "Create", ja: "接続を作成" };
const SAVE = { en: "Save", ja: "保存" };
const SUBDOMAIN = { en: "Subdomain", ja: "サブドメイン" };
const ALL = ["kintone", "kintone-user-api", "oomnitza"];

const pages = [
  ...manual({
    home: "/docs",
    article: "/docs/quick-start",
    reference: "/docs/api/connections",
    overview: "/docs/api",
    guide: "/docs/providers/kintone",
    providers: "/docs/providers",
    nobody: "/docs/providers?q=nobody",
    found: "/docs/search?q=token",
    lost: "/docs/search?q=zzzz",
    nothing: "/docs/nothing",
  }),
  {
    area: "people",
    page: "set-up",
    state: "empty",
    first: true,
    address: () => `${url}/setup`,
  },
  {
    area: "people",
    page: "sign-in",
    state: "empty",
    address: async () => {
      await admin();
      return `${url}/sign-in`;
    },
  },
  {
    area: "people",
    page: "sign-in",
    state: "refused",
    address: async () => {
      await admin();
      return `${url}/sign-in`;
    },
    reach: async (tab) => {
      await tab.type({ en: /^Login name/, ja: /^ログイン名/ }, "nobody");
      await tab.type({ en: "Password", ja: "パスワード" }, "a password that nobody has");
      await tab.pressOn("main button.primary");
      await tab.expect("[role=alert]");
    },
  },
  {
    area: "people",
    page: "invitation",
    state: "from-a-link",
    address: () => `${url}/invitation#something`,
  },
  {
    area: "people",
    page: "profile",
    state: "own",
    as: "admin",
    address: () => `${url}/profile`,
  },
  {
    area: "people",
    page: "users",
    state: "some",
    as: "admin",
    address: async () => {
      const login = `${unique("ben").replace(" ", "")}@example.com`;
      await api("POST", "/users", { login, display_name: "Ben", role: "member" });
      return `${url}/dashboard/users`;
    },
  },
  {
    area: "connect",
    page: "choosing",
    state: "three",
    address: async () => (await session({ allowed_integrations: ALL })).link,
  },
  {
    area: "connect",
    page: "choosing",
    state: "nothing-found",
    address: async () => (await session({ allowed_integrations: ALL })).link,
    reach: async (tab) => {
      await tab.type({ en: "Search", ja: "検索" }, "zzz");
      await tab.expectText({ en: "Nothing fits", ja: "見つかりませんでした" });
    },
  },
  {
    area: "connect",
    page: "form",
    state: "empty",
    address: async () => (await session()).link,
  },
  {
    area: "connect",
    page: "form",
    state: "family",
    address: async () => `${(await session({ allowed_integrations: ALL })).link}&integration=kintone-user-api`,
  },
  {
    area: "connect",
    page: "form",
    state: "oomnitza",
    address: async () => (await session({ allowed_integrations: ["oomnitza"] })).link,
  },
  {
    area: "connect",
    page: "form",
    state: "filled-in-by-the-embedder",
    address: async () => {
      const known = { connection_config: { subdomain: "demo", domain: "kintone.com" } };
      return (await session({ integrations_config_defaults: { kintone: known } })).link;
    },
  },
  {
    area: "connect",
    page: "form",
    state: "everything-open",
    address: async () => (await session()).link,
    reach: async (tab) => {
      await tab.press({ en: "Login name and password", ja: "ログイン名とパスワード" });
      await tab.page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
    },
  },
  {
    area: "connect",
    page: "form",
    state: "oauth",
    address: async () => (await session()).link,
    reach: (tab) => tab.pressOn("input[name=scheme][value=oauth2]"),
  },
  {
    area: "connect",
    page: "form",
    state: "oauth-clients",
    address: async () => {
      await registered();
      return (await session({ oauth_clients: "manage", organization: { id: "acme", display_name: "Acme" } })).link;
    },
    reach: (tab) => tab.pressOn("input[name=scheme][value=oauth2]"),
  },
  {
    area: "connect",
    page: "client",
    state: "new",
    address: async () => (await session({ oauth_clients: "manage" })).link,
    reach: askAboutClient,
  },
  {
    area: "connect",
    page: "client",
    state: "faults",
    address: async () => (await session({ oauth_clients: "manage" })).link,
    reach: async (tab) => {
      await askAboutClient(tab);
      await tab.type(SUBDOMAIN, "not a subdomain");
      await tab.press(SAVE);
      await tab.expect('[name="c.subdomain"][aria-invalid="true"]');
    },
  },
  {
    area: "connect",
    page: "client",
    state: "changed",
    address: async () => (await session({ oauth_clients: "manage", organization: { id: unique("acme") } })).link,
    reach: async (tab) => {
      await askAboutClient(tab);
      await tab.type(SUBDOMAIN, "demo");
      await tab.type({ en: "Client ID", ja: "クライアントID" }, "l.1.abc");
      await tab.type({ en: "Client secret", ja: "クライアントシークレット" }, process.env.VENDOR_OTHER_TOKEN);
      await tab.press(SAVE);
      await tab.expect("main[data-step=form] .notice.good");
      await tab.press({ en: /^Change “/, ja: /を変更$/ });
      await tab.expect("main[data-step=client]");
    },
  },
  {
    area: "connect",
    page: "form",
    state: "faults",
    address: async () => (await session()).link,
    reach: (tab) => tab.press(CREATE),
  },
  {
    area: "connect",
    page: "form",
    state: "unavailable",
    address: async () => (await session()).link,
    reach: async (tab) => {
      await typeTokens(tab, "wrongTokenThatNobodyKnows0000000000000000");
      await tab.press(TEST);
      await tab.expectText({ en: "Connection unavailable", ja: "接続できません" });
    },
  },
  {
    area: "connect",
    page: "form",
    state: "available",
    address: async () => (await session()).link,
    reach: async (tab) => {
      await typeTokens(tab, process.env.VENDOR_TOKEN);
      await tab.press(TEST);
      await tab.expectText({ en: "Connection available", ja: "接続できます" });
    },
  },
  {
    area: "connect",
    page: "form",
    state: "again",
    address: async () => (await again()).link,
  },
  {
    area: "connect",
    page: "linked",
    state: "closes",
    address: async () => (await session()).link,
    reach: async (tab) => {
      await typeTokens(tab, process.env.VENDOR_TOKEN);
      await tab.press(CREATE);
      await tab.expectText({ en: "You are now connected to Kintone", ja: "kintoneに接続しました" });
    },
  },
  {
    area: "connect",
    page: "waiting",
    state: "for-a-session",
    address: () => `${url}/connect/default/`,
  },
  {
    area: "connect",
    page: "problem",
    state: "session-over",
    address: () => `${url}/connect/default/?session_token=tombolo_connect_session_over`,
  },
  {
    area: "connect",
    page: "problem",
    state: "no-environment",
    address: () => `${url}/connect/nowhere/`,
  },
  ...[
    ["home", "some", () => ""],
    ["connections", "some", () => "/connections"],
    ["connections", "nothing-found", () => "/connections?search=nothing+of+that+name"],
    ["connections", "choose", () => "/connections/new"],
    ["connections", "new", () => "/connections/new/kintone"],
    ["connections", "one", async () => `/connections/${(await linked()).id}`],
    ["connections", "delete", async () => `/connections/${(await linked()).id}/delete`],
    ["connections", "unknown", () => "/connections/con_0"],
    ["integrations", "some", () => "/integrations"],
    ["integrations", "one", () => "/integrations/kintone"],
    ["oauth-clients", "new", () => "/oauth-clients/new"],
    ["oauth-clients", "one", async () => `/oauth-clients/${encodeURIComponent(await registered())}`],
    ["catalog", "all", () => "/catalog"],
    ["catalog", "nothing-found", () => "/catalog?search=nothing+of+that+name"],
    ["api-keys", "some", () => "/api-keys"],
    ["audit", "some", () => "/audit"],
    ["environments", "some", () => "/environments"],
  ].map(([page, state, path]) => ({
    area: "dashboard",
    page,
    state,
    as: "admin",
    address: async () => {
      await linked();
      return `${url}/dashboard/default${await path()}`;
    },
  })),
  {
    area: "dashboard",
    page: "connections",
    state: "tested",
    as: "admin",
    address: async () => `${url}/dashboard/default/connections/${(await linked()).id}`,
    reach: async (tab) => {
      await tab.pressOn("form[action$='/test'] button");
      await tab.expectText({ en: "Connection available", ja: "接続できます" });
    },
  },
  {
    area: "dashboard",
    page: "home",
    state: "palette",
    as: "admin",
    address: () => `${url}/dashboard/default`,
    reach: async (tab) => {
      await tab.page.keyboard.down("Control");
      await tab.keys("k");
      await tab.page.keyboard.up("Control");
      await tab.expect("dialog[open]");
    },
  },
  {
    area: "oauth",
    page: "question",
    state: "link",
    address: async () => (await link()).url,
  },
  {
    area: "oauth",
    page: "question",
    state: "for-a-user",
    address: async () => (await link({ tags: { end_user_id: "u-1" } })).url,
  },
  {
    area: "oauth",
    page: "end",
    state: "code",
    address: async () => (await link()).url,
    reach: agree,
  },
  {
    area: "oauth",
    page: "end",
    state: "program",
    address: async () => (await link({ return_url: "http://127.0.0.1:49152/" })).url,
    reach: agree,
  },
  {
    area: "oauth",
    page: "end",
    state: "connected",
    alone: true,
    address: async () => {
      await api("PATCH", "/environment", { confirm_authorizations: false });
      return (await link()).url;
    },
    reach: async (tab) => {
      await agree(tab);
      await api("PATCH", "/environment", { confirm_authorizations: true });
    },
  },
  {
    area: "oauth",
    page: "failure",
    state: "unknown-link",
    address: () => `${url}/oauth/start/unknown`,
  },
  {
    area: "oauth",
    page: "failure",
    state: "denied",
    address: async () => (await link()).url,
    reach: async (tab) => {
      await tab.press(GO_ON);
      await decide(tab, "deny");
      await tab.expect("[data-end=error]");
    },
  },
];

/** Goes on from the form to the page about an OAuth client. */
async function askAboutClient(tab) {
  await tab.pressOn("input[name=scheme][value=oauth2]");
  await tab.press({ en: "Register an OAuth client", ja: "OAuthクライアントを登録" });
  await tab.expect("main[data-step=client]");
}

/** Pages of the manual by what they show. */
function manual(paths) {
  return Object.entries(paths).map(([state, path]) => ({
    area: "manual",
    page: path.split(/[/?]/)[2] ?? "home",
    state,
    address: () => url + path,
  }));
}

/** How an entry is called, in names of pictures too. */
export const nameOf = ({ area, page, state }) => `${area}-${page}-${state}`;

/** The entries whose name has one of the texts of PAGES in it, which are separated by commas; all unless that is set. */
export function wantedPages() {
  const texts = process.env.PAGES?.split(",") ?? [""];
  return pages.filter((entry) => texts.some((text) => nameOf(entry).includes(text)));
}

async function typeTokens(tab, token) {
  await tab.type({ en: "Connection name", ja: "接続名" }, unique("Sales"));
  await tab.paste({ en: "Subdomain", ja: "サブドメイン" }, "https://demo.kintone.com/k/1/");
  await tab.expectValue({ en: /^App ID/, ja: /^アプリID/ }, "1");
  await tab.type({ en: /^API token/, ja: /^APIトークン/ }, token);
}

async function agree(tab) {
  await tab.press(GO_ON);
  await decide(tab);
  await tab.expect("[data-end=success]");
}
