// What each page of the list costs: how long the server takes until the last byte, and how many bytes of HTML, of style and of
// script a browser is given before the page stands. Pages that are only reached by doing something are left out. Prints JSON;
// `cargo xtask bench pages` judges it. REQUESTS says how often each page is asked for.
import http from "node:http";
import { gzipSync } from "node:zlib";

import { LANGUAGES } from "./driver/languages.mjs";
import { nameOf, wantedPages } from "./pages.mjs";
import { cookieOf } from "./world.mjs";

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const requests = Number(process.env.REQUESTS ?? 200);
const WARM_UP = 10;

/** One answer: what it says, and the milliseconds until its last byte. */
function get(address, headers) {
  return new Promise((answered, failed) => {
    const begun = process.hrtime.bigint();
    const request = http.get(address, { agent, headers }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => {
        const milliseconds = Number(process.hrtime.bigint() - begun) / 1e6;
        answered({ status: response.statusCode, location: response.headers.location, body: Buffer.concat(parts).toString(), milliseconds });
      });
    });
    request.on("error", failed);
  });
}

/** What a page loads: style sheets, and scripts with what they import. */
async function assetsOf(page, address) {
  const loaded = { style: new Map(), script: new Map() };
  const load = async (kind, reference, from) => {
    const asset = new URL(reference, from);
    if (loaded[kind].has(asset.href)) return;
    const { status, body } = await get(asset);
    if (status !== 200) throw new Error(`${asset} is answered with ${status}`);
    loaded[kind].set(asset.href, body);
    const imports = kind === "script" ? /\b(?:import|from)\s*["']([^"']+)["']/g : /@import\s+(?:url\()?["']([^"']+)["']/g;
    for (const [, found] of body.matchAll(imports)) await load(kind, found, asset);
  };
  for (const [tag] of page.matchAll(/<(?:link|script)\b[^>]*>/g)) {
    const value = (name) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll("&amp;", "&");
    if (tag.startsWith("<script") && value("src")) await load("script", value("src"), address);
    if (value("rel") === "modulepreload") await load("script", value("href"), address);
    if (value("rel") === "stylesheet") await load("style", value("href"), address);
  }
  return { style: [...loaded.style.values()], script: [...loaded.script.values()] };
}

const bytes = (texts) => ({
  raw: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
  gzip: texts.reduce((sum, text) => sum + gzipSync(text).length, 0),
});

async function measure(entry, language) {
  let address = await entry.address(language);
  const headers = { "accept-language": language };
  if (entry.as) {
    const { name, value } = await cookieOf(entry.as);
    headers.cookie = `${name}=${value}`;
  }
  let { body, location } = await get(address, headers);
  if (location) {
    address = new URL(location, address);
    ({ body } = await get(address, headers));
  }
  const { style, script } = await assetsOf(body, address);
  const times = [];
  for (let count = -WARM_UP; count < requests; count += 1) {
    const { milliseconds } = await get(address, headers);
    if (count >= 0) times.push(milliseconds);
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { language, median: at(0.5), p99: at(0.99), html: bytes([body]), style: bytes(style), script: bytes(script) };
}

const measured = [];
for (const entry of wantedPages().filter((entry) => !entry.reach && !entry.before && !entry.alone)) {
  for (const language of LANGUAGES) {
    measured.push({ page: nameOf(entry), ...(await measure(entry, language)) });
  }
}
agent.destroy();
console.log(JSON.stringify(measured));
