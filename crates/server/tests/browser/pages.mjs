// Every page and every state of it that somebody can come to: one line each. The test of all pages, the pictures and the
// measurements go through this list, so whoever makes a page adds it here and nowhere else.
//
// `area`, `page` and `state` name it. `address` answers where it is; it is asked once for each language, so what can be used
// once is made anew. `reach` goes on from there to the state. `alone` is for what changes the environment for everybody.
import { api, url } from "./driver/server.mjs";
import { decide, link } from "./world.mjs";

const GO_ON = { en: "Go on", ja: "次へ進む" };

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

async function agree(tab) {
  await tab.press(GO_ON);
  await decide(tab);
  await tab.expect("[data-end=success]");
}
