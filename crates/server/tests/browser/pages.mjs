// Every page and every state of it that somebody can come to: one line each. The test of all pages, the pictures and the
// measurements go through this list, so whoever makes a page adds it here and nowhere else.
//
// `area`, `page` and `state` name it. `address` answers where it is; it is asked once for each language, so what can be used
// once is made anew. `before` arranges a tab that has not been anywhere yet, and `reach` goes on from the address to the state.
// `as` is the role of who is signed in, and `expected` what the browser rightly complains about there. What changes the
// environment for everybody is `alone`, and `first` what is only there before anybody is signed in.
import { closeSites, site } from "./driver/embedder.mjs";
import { eventually } from "./driver/eventually.mjs";
import { api, unique, url } from "./driver/server.mjs";
import {
  DEAD_JOB, EMPTY, LOGIN, WAITING_JOB, admin, again, broken, called, decide, failing, invited, link, linked, oauthClient, receiving,
  recipient, registered, session,
} from "./world.mjs";

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
    japanese: "/docs/ja/quick-start",
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
    page: "sign-in",
    state: "provider-away",
    address: async () => {
      await admin();
      return `${url}/sign-in`;
    },
    reach: async (tab) => {
      await tab.press({ en: "Sign in with Example ID", ja: "Example IDでログイン" });
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
    page: "set-up",
    state: "refused",
    first: true,
    address: () => `${url}/setup#tombolo_setup_nothing`,
    reach: async (tab) => {
      await tab.type({ en: /^Login name/, ja: /^ログイン名/ }, "anna@example.com");
      await tab.type({ en: "Password", ja: "パスワード" }, "a password that is long enough");
      await tab.pressOn("main button.primary");
      await tab.expect("[role=alert], [aria-invalid=true]");
    },
  },
  {
    area: "people",
    page: "invitation",
    state: "over",
    address: () => `${url}/invitation#tombolo_link_nothing`,
    reach: async (tab) => {
      await tab.type({ en: "Password", ja: "パスワード" }, "a password that is long enough");
      await tab.pressOn("main button.primary");
      await tab.expect("[role=alert], [aria-invalid=true]");
    },
  },
  {
    area: "people",
    page: "invitation",
    state: "password-too-short",
    address: async () => `${url}/invitation#${encodeURIComponent((await invited("viewer")).token)}`,
    reach: async (tab) => {
      await tab.type({ en: "Password", ja: "パスワード" }, "short");
      await tab.pressOn("main button.primary");
      await tab.expect("[aria-invalid=true]");
    },
  },
  {
    area: "people",
    page: "users",
    state: "link-made",
    as: "admin",
    address: () => `${url}/dashboard/users`,
    reach: async (tab) => {
      await tab.type({ en: /^Login name/, ja: /^ログイン名/ }, `${unique("dora").replace(" ", "")}@example.com`);
      await tab.pressOn("main form.stack button.primary");
      await tab.expect("#link");
    },
  },
  {
    area: "people",
    page: "users",
    state: "faults",
    as: "admin",
    address: () => `${url}/dashboard/users`,
    reach: async (tab) => {
      await tab.type({ en: /^Login name/, ja: /^ログイン名/ }, "not a login name");
      await tab.pressOn("main form.stack button.primary");
      await tab.expect("[aria-invalid=true], [role=alert]");
    },
  },
  {
    area: "people",
    page: "profile",
    state: "password-refused",
    as: "admin",
    address: () => `${url}/profile`,
    reach: async (tab) => {
      await tab.type({ en: "Current password", ja: "現在のパスワード" }, "not the one");
      await tab.type({ en: "New password", ja: "新しいパスワード" }, "short");
      await tab.pressOn("form[action$='/profile/password'] button:not([type])");
      await tab.expect("[aria-invalid=true], [role=alert], main.card");
    },
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
    page: "form",
    state: "again-another-account",
    address: async () => (await again()).link,
    reach: async (tab) => {
      await tab.type({ en: /^App ID/, ja: /^アプリID/ }, "2");
      await tab.type({ en: /^API token/, ja: /^APIトークン/ }, process.env.VENDOR_OTHER_TOKEN);
      await tab.press(CREATE);
      await tab.expect("[data-other-account]:not([hidden])");
    },
  },
  {
    area: "connect",
    page: "form",
    state: "test-cancelled",
    address: async () => (await session()).link,
    before: (tab) => tab.page.evaluateOnNewDocument(() => {
      const { fetch } = window;
      window.fetch = (address, options) => String(address).endsWith("/test")
        ? new Promise((_, failed) => options.signal.addEventListener("abort", () => failed(options.signal.reason)))
        : fetch(address, options);
    }),
    reach: async (tab) => {
      await typeTokens(tab, process.env.VENDOR_TOKEN);
      await tab.press(TEST);
      await tab.press({ en: "Cancel the test", ja: "テストを中止" });
      await tab.expectText({ en: "The test was cancelled", ja: "テストを中止しました" });
    },
  },
  {
    area: "connect",
    page: "form",
    state: "lost-contact",
    address: async () => (await session()).link,
    before: (tab) => tab.page.evaluateOnNewDocument(() => (window.fetch = () => Promise.reject(new TypeError()))),
    reach: async (tab) => {
      await typeTokens(tab, process.env.VENDOR_TOKEN, false);
      await tab.press(CREATE);
      await tab.expect("[data-general]:not([hidden])");
    },
  },
  {
    area: "connect",
    page: "form",
    state: "leaving",
    address: async () => (await session()).link,
    before: framed,
    reach: async (tab) => {
      await tab.type({ en: "Connection name", ja: "接続名" }, "Sales");
      await tab.keys("Escape");
      await tab.expect("dialog[open]");
    },
  },
  {
    area: "connect",
    page: "form",
    state: "nobody-can-confirm",
    address: async () => (await session()).link,
    reach: async (tab) => {
      await tab.pressOn("input[name=scheme][value=oauth2]");
      await tab.expect("[data-needs-opener]:not([hidden])");
    },
  },
  ...[
    ["open", false, () => {}],
    ["blocked", true, () => {}],
    ["another-device", true, (tab) => tab.pressOn("[data-elsewhere] summary")],
    ["denied", true, async (tab) => {
      const page = await tab.person.tab();
      await page.open(await tab.page.$eval("[data-tab]", (link) => link.href));
      await page.press(GO_ON);
      await decide(page, "deny");
      await page.expect("body");
      await tab.expect("[data-says].bad");
    }],
  ].map(([state, isBlocked, reach]) => ({
    area: "connect",
    page: "window",
    state,
    alone: true,
    address: async () => {
      await returning();
      return (await session({ return_url: await returning() })).link;
    },
    before: async (tab) => {
      await framed(tab);
      await tab.page.evaluateOnNewDocument((opened) => (window.open = () => opened), isBlocked ? null : { location: { replace: "" } });
      await tab.page.evaluateOnNewDocument(() => {
        if (window.open()) window.open = () => ({ location: { replace() {} }, close() {} });
      });
    },
    reach: async (tab) => {
      await tab.type({ en: "Connection name", ja: "接続名" }, unique("Sales"));
      await tab.type({ en: "Subdomain", ja: "サブドメイン" }, "demo");
      await tab.pressOn("input[name=scheme][value=oauth2]");
      await tab.pressOn("[data-press=vendor]");
      await tab.expect(".window");
      await reach(tab);
    },
  })),
  ...[
    ["choosing", ALL, () => {}],
    ["form", ["kintone"], () => {}],
    ["faults", ["kintone"], (tab) => tab.press(CREATE)],
  ].map(([state, allowed_integrations, reach]) => ({
    area: "connect",
    page: "themed",
    state,
    alone: true,
    address: async () => {
      await api("PATCH", "/environment", { connect_ui: { display_name: "Acme", primary_light: "#ffd400", primary_dark: "#1d1d8f" } });
      return (await session({ allowed_integrations })).link;
    },
    reach: async (tab) => {
      await reach(tab);
      await api("PATCH", "/environment", { connect_ui: { display_name: "", primary_light: "", primary_dark: "" } });
    },
  })),
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
  ...dashboard("admin", [
    ["home", "some", () => ""],
    ["connections", "some", () => "/connections"],
    ["connections", "nothing-found", () => "/connections?search=nothing+of+that+name"],
    ["connections", "choose", () => "/connections/new"],
    ["connections", "new", () => "/connections/new/kintone"],
    ["connections", "one", async () => `/connections/${(await linked()).id}`],
    ["connections", "account", async () => `/connections/${(await linked()).id}/account`],
    ["connections", "none-to-confirm", () => "/connections/confirm"],
    ["connections", "saved", async () => `/connections/${(await linked()).id}?done=saved`],
    ["connections", "broken", async () => `/connections/${(await broken()).id}`],
    ["connections", "delete", async () => `/connections/${(await linked()).id}/delete`],
    ["connections", "unknown", () => "/connections/con_0"],
    ["integrations", "some", () => "/integrations"],
    ["integrations", "one", () => "/integrations/kintone"],
    ["integrations", "delete", () => "/integrations/kintone/delete"],
    ["oauth-clients", "new", () => "/oauth-clients/new"],
    ["oauth-clients", "new-chosen", () => "/oauth-clients/new?provider=kintone"],
    ["oauth-clients", "one", async () => `/oauth-clients/${encodeURIComponent(await registered())}`],
    ["oauth-clients", "delete", async () => `/oauth-clients/${encodeURIComponent(await registered())}/delete`],
    ["catalog", "all", () => "/catalog"],
    ["catalog", "nothing-found", () => "/catalog?search=nothing+of+that+name"],
    ["activity", "some", async () => (await called(), "/activity")],
    ["activity", "filtered", async () => (await called(), "/activity?failed=true&method=GET")],
    ["activity", "nothing-found", () => "/activity?path=/nothing"],
    ["activity", "unknown", () => "/activity/req_0"],
    ["jobs", "some", () => "/jobs"],
    ["jobs", "filtered", () => "/jobs?state=dead"],
    ["jobs", "nothing-found", () => "/jobs?state=cancelled&kind=revocation"],
    ["webhooks", "new", () => "/webhooks/new"],
    ["webhooks", "nothing-found", () => "/webhooks/deliveries?state=cancelled"],
    ["settings", "environment", () => "/settings"],
    ["settings", "notifications", async () => (await recipient(), "/settings/notifications")],
    ["settings", "recipient", async () => `/settings/notifications/${(await recipient()).id}`],
    ["settings", "new-recipient", () => "/settings/notifications/new"],
    ["settings", "delete-recipient", async () => `/settings/notifications/${(await recipient()).id}/delete`],
    ["settings", "retention", () => "/settings/retention"],
    ["settings", "connect-ui", () => "/settings/connect-ui"],
    ["settings", "appearance", () => "/settings/appearance"],
    ["api-keys", "some", () => "/api-keys"],
    ["audit", "some", () => "/audit"],
    ["environments", "some", () => "/environments"],
    ["problem", "no-page", () => "/nothing/here"],
  ]),
  ...arranged(
    dashboard("admin", [
      ["jobs", "waiting", () => `/jobs/${WAITING_JOB}`],
      ["jobs", "dead", () => `/jobs/${DEAD_JOB}`],
      ["webhooks", "some", async () => (await receiving(), await failing(), "/webhooks")],
      ["webhooks", "one", async () => `/webhooks/${(await receiving()).id}`],
      ["webhooks", "replayed", async () => `/webhooks/${(await receiving()).id}?replayed=3`],
      ["webhooks", "delete", async () => `/webhooks/${(await receiving()).id}/delete`],
      ["webhooks", "deliveries", async () => (await receiving(), await failing(), "/webhooks/deliveries")],
      ["webhooks", "delivered", async () => `/webhooks/deliveries/${(await receiving()).delivery}`],
      ["webhooks", "failing", async () => `/webhooks/deliveries/${(await failing()).delivery}`],
      ["problem", "no-environment", () => "", "nowhere"],
      ...["", "/connections", "/integrations", "/activity", "/jobs", "/webhooks", "/webhooks/deliveries", "/settings/notifications"].map(
        (path) => ["empty", path.replaceAll("/", "-").slice(1) || "home", () => path, EMPTY],
      ),
    ]),
  ),
  ...arranged(["member", "viewer"].flatMap((role) =>
    dashboard(role, [
      [role, "home", () => ""],
      [role, "connections", () => "/connections"],
      [role, "connection", async () => `/connections/${(await linked()).id}`],
      [role, "integrations", () => "/integrations"],
      [role, "integration", () => "/integrations/kintone"],
      [role, "catalog", () => "/catalog?search=hostile"],
      [role, "webhook", async () => `/webhooks/${(await receiving()).id}`],
      [role, "recipient", async () => `/settings/notifications/${(await recipient()).id}`],
      [role, "job", () => `/jobs/${DEAD_JOB}`],
      [role, "settings", () => "/settings/appearance"],
      [role, "forbidden", () => "/api-keys"],
    ]),
  )),
  ...doing("admin", [
    ["activity", "one", "/activity?path=/k/v1/records.json", async (tab) => {
      await tab.pressOn("[data-rows] a.path");
      await tab.expect(".waterfall");
    }],
    ["activity", "refused", "/activity?path=/k/v1/record.json", async (tab) => {
      await tab.pressOn("[data-rows] a.path");
      await tab.expect(".waterfall");
    }],
    ["connections", "to-confirm", "/connections/confirm", async (tab) => {
      await agreedElsewhere(tab, { tags: { end_user_id: "u-1" } });
    }],
    ["connections", "wrong-code", "/connections/confirm", async (tab) => {
      await agreedElsewhere(tab);
      const form = "main form:not(:has([name=end_user]))";
      await tab.place.$eval(`${form} input[name=code]`, (input) => (input.value = "BCDF-GHJK"));
      await tab.pressOn(`${form} button[value=confirm]`);
      await tab.expect("[role=alert]");
    }],
    ["connections", "faults", "/connections/new/kintone", async (tab) => {
      await tab.pressOn("button[value=create]");
      await tab.expect("[aria-invalid=true]");
    }],
    ["connections", "unavailable", "/connections/new/kintone", async (tab) => {
      await typePassword(tab, "wrong");
      await tab.pressOn("button[value=test]");
      await tab.expect(".conclusion.bad");
    }],
    ["connections", "available", "/connections/new/kintone", async (tab) => {
      await typePassword(tab, LOGIN.password);
      await tab.pressOn("button[value=test]");
      await tab.expect(".conclusion.good");
    }],
    ["connections", "other-account", async () => `/connections/${(await linked()).id}/account`, async (tab) => {
      await tab.type({ en: "Subdomain", ja: "サブドメイン" }, "sample");
      await tab.type({ en: /^API token/, ja: /^APIトークン/ }, process.env.VENDOR_TOKEN);
      await tab.pressOn("button[value=create]");
      await tab.expect("[data-other-account]:not([hidden])");
    }],
    ["connections", "name-taken", async () => `/connections/${(await linked()).id}`, async (tab) => {
      const other = unique("Taken");
      await api("POST", "/connections", { provider_config_key: "kintone", name: other, auth_scheme: "api_token", test: false,
        fields: { subdomain: "demo", domain: "kintone.com", token: [process.env.VENDOR_TOKEN], app: "1" } });
      await tab.type({ en: "Connection name", ja: "接続名" }, other);
      await tab.pressOn("section form button:not([type])");
      await tab.expect("[role=alert]");
    }],
    ["connections", "link-made", async () => `/connections/${(await linked()).id}`, async (tab) => {
      await tab.pressOn("form[action$='/link'] button");
      await tab.expect(".notice.good");
    }],
    ["connections", "sorted", "/connections", async (tab) => {
      await tab.pressOn("th button");
      await tab.expect("th[aria-sort]");
    }],
    ["integrations", "faults", "/integrations/kintone", async (tab) => {
      await tab.page.$$eval("input[name=auth_scheme]", (all) => all.forEach((one) => (one.checked = false)));
      await tab.pressOn("main form button.primary");
      await tab.expect("[role=alert]");
    }],
    ["oauth-clients", "name-taken", "/oauth-clients/new?provider=kintone", async (tab) => {
      await tab.type({ en: "Name", ja: "名前" }, await registered());
      await tab.pressOn("main form button.primary");
      await tab.expect("[role=alert]");
    }],
    ["webhooks", "faults", "/webhooks/new", async (tab) => {
      await tab.pressOn("main form button.primary");
      await tab.expect("[aria-invalid=true]");
    }],
    ["webhooks", "secret-shown", "/webhooks/new", async (tab) => {
      await tab.type({ en: "Name", ja: "名前" }, unique("Shop"));
      await tab.type({ en: "Address", ja: /^(送信先|アドレス|URL)/ }, "https://hooks.example.com/in");
      await tab.pressOn("main form button.primary");
      await tab.expect(".notice.good pre");
    }],
    ["webhooks", "disabled", async () => `/webhooks/${(await api("POST", "/webhooks", { name: unique("Off"), url: "https://hooks.example.com/in" })).id}`, async (tab) => {
      await tab.pressOn("form[action$='/disable'] button");
      await tab.expect("form[action$='/enable']");
    }],
    ["settings", "environment-faults", "/settings", async (tab) => {
      await tab.page.$eval("#allowed_origins", (area) => (area.value = "https://app.example.com/path\nnothing"));
      await tab.pressOn("main form button.primary");
      await tab.expect("[aria-invalid=true]");
    }],
    ["settings", "connect-ui-faults", "/settings/connect-ui", async (tab) => {
      await tab.page.$eval("#primary_dark", (input) => (input.value = "purple"));
      await tab.pressOn("main form button.primary");
      await tab.expect("[aria-invalid=true]");
    }],
    ["settings", "connect-ui-preview", "/settings/connect-ui", async (tab) => {
      await tab.pressOn("form[action$='/preview'] button");
      await tab.expect("iframe.preview");
    }],
    ["settings", "recipient-faults", "/settings/notifications/new", async (tab) => {
      await tab.pressOn("main form button.primary");
      await tab.expect("[aria-invalid=true]");
    }],
    ["api-keys", "shown-once", "/api-keys", async (tab) => {
      await tab.type({ en: "Name", ja: "名前" }, unique("Back end"));
      await tab.pressOn("main form.card button.primary");
      await tab.expect(".notice.good pre");
    }],
    ["api-keys", "without-rights", "/api-keys", async (tab) => {
      await tab.type({ en: "Name", ja: "名前" }, unique("Nothing"));
      await tab.pressOn("input[value=chosen]");
      await tab.pressOn("main form.card button.primary");
      await tab.expect(".notice.good pre");
    }],
    ["audit", "verified", "/audit", async (tab) => {
      await tab.pressOn("main form button");
      await tab.expect("[role=status]");
    }],
    ["environments", "faults", "/environments", async (tab) => {
      await tab.type({ en: "Name", ja: "名前" }, "Not a name!");
      await tab.pressOn("main form button.primary");
      await tab.expect("[role=alert]");
    }],
    ["home", "menus", "", async (tab) => {
      await tab.pressOn("details.environment summary");
      await tab.pressOn("details.account summary");
    }],
  ]),
  ...arranged(doing("member", [
    ["member", "asks", "/catalog?search=hostile", async (tab) => {
      await tab.pressOn("details.panel summary");
      await tab.expect("details[open] button[value=ask]");
    }],
  ])),
  ...arranged(doing("member", [
    ["member", "asked", "/catalog?search=hostile", async (tab) => {
      // Somebody may have asked already.
      if (await tab.page.$("details.panel")) {
        await tab.pressOn("details.panel summary");
        await (await tab.expect("details[open] input[name=reason]")).type("We need it.");
        await tab.pressOn("details[open] button[value=ask]");
      }
      await eventually("it has been asked for", () => tab.page.$("main .tile .badge"));
    }],
  ])).map((entry) => ({ ...entry, alone: true })),
  ...arranged(dashboard("admin", [["catalog", "requests", () => "/catalog"]])).map((entry) => ({ ...entry, alone: true })),
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

/** Pages that show what the tests have arranged around the server: jobs, a receiver of webhooks, another environment. */
function arranged(pages) {
  return process.env.JOBS ? pages : [];
}

/** Pages of the dashboard for a role: page, state, path, and the environment unless it is the usual one. */
function dashboard(as, rows) {
  return rows.map(([page, state, path, environment = "default"]) => ({
    area: "dashboard",
    page,
    state,
    as,
    address: async () => {
      await linked();
      return `${url}/dashboard/${environment}${await path()}`;
    },
  }));
}

/** The same with what is done on the page. */
function doing(as, rows) {
  return rows.map(([page, state, path, reach]) => ({
    area: "dashboard",
    page,
    state,
    as,
    address: async () => {
      await called();
      return `${url}/dashboard/default${typeof path === "string" ? path : await path()}`;
    },
    reach,
  }));
}

/** Has the Connect UI take the page for a frame of another page, so that it can be looked at as a page. */
async function framed(tab) {
  await tab.page.evaluateOnNewDocument(() => (window.parent = { postMessage() {} }));
}

let embedder;
/** A page of an embedder to which windows and tabs come back. */
async function returning() {
  embedder ??= site({ "/linked": "<h1>Linked</h1>" }).then(async (origin) => {
    await api("PATCH", "/environment", { allowed_origins: [origin], return_urls: [`${origin}/linked`] });
    await linked();
    await api("PATCH", "/integrations/kintone", { oauth_client: await oauthClient() });
    return `${origin}/linked`;
  });
  return embedder;
}

/** Closes what was opened for the pages. */
export const closePages = closeSites;

/** How an entry is called, in names of pictures too. */
export const nameOf = ({ area, page, state }) => `${area}-${page}-${state}`;

/** The entries whose name has one of the texts of PAGES in it, which are separated by commas; all unless that is set. */
export function wantedPages() {
  const texts = process.env.PAGES?.split(",") ?? [""];
  return pages.filter((entry) => texts.some((text) => nameOf(entry).includes(text)));
}

async function typePassword(tab, password) {
  await tab.type({ en: "Connection name", ja: "接続名" }, unique("Sales"));
  await tab.type({ en: "Subdomain", ja: "サブドメイン" }, "demo");
  await tab.press({ en: "Login name and password", ja: "ログイン名とパスワード" });
  await tab.type({ en: "Login name", ja: "ログイン名" }, LOGIN.name);
  await tab.type({ en: "Password", ja: "パスワード" }, password);
}

async function typeTokens(tab, token, isRead = true) {
  await tab.type({ en: "Connection name", ja: "接続名" }, unique("Sales"));
  if (!isRead) {
    await tab.type({ en: "Subdomain", ja: "サブドメイン" }, "demo");
    await tab.type({ en: /^App ID/, ja: /^アプリID/ }, "1");
    await tab.type({ en: /^API token/, ja: /^APIトークン/ }, token);
    return;
  }
  await tab.paste({ en: "Subdomain", ja: "サブドメイン" }, "https://demo.kintone.com/k/1/");
  await tab.expectValue({ en: /^App ID/, ja: /^アプリID/ }, "1");
  await tab.type({ en: /^API token/, ja: /^APIトークン/ }, token);
}

/** Somebody agrees at the vendor, with a link that they were given; then the page is looked at where it is confirmed. */
async function agreedElsewhere(tab, change) {
  const page = tab.page.url();
  await tab.open((await link(change)).url);
  await agree(tab);
  await tab.open(page);
  await tab.expect("input[name=code]");
}

async function agree(tab) {
  await tab.press(GO_ON);
  await decide(tab);
  await tab.expect("[data-end=success]");
}
