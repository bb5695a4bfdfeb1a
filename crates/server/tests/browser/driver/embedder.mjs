// Somebody else's pages, at an origin of their own: an embedder's, or an attacker's.
import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";

const CLIENT = "node_modules/@nangohq/frontend/dist";
const opened = [];

/** A site with pages by their paths. `/client/` has the published front-end client of the compatible API. */
export async function site(pages) {
  const server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://embedder");
    if (pathname.startsWith("/client/")) {
      response.setHeader("content-type", "text/javascript");
      response.end(await readFile(path.join(process.env.NPM_CLIENTS_DIR, CLIENT, path.basename(pathname))));
    } else if (pages[pathname] === undefined) {
      response.writeHead(pathname === "/favicon.ico" ? 204 : 404).end();
    } else {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Elsewhere</title>${pages[pathname]}</html>`);
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  opened.push(server);
  // The server is at `localhost`, so that this is another site, not merely another origin.
  return `http://127.0.0.1:${server.address().port}`;
}

/** Closes all of them. */
export async function closeSites() {
  for (const server of opened) {
    server.closeAllConnections();
    server.close();
  }
}
