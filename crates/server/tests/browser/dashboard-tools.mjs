// What helps on the pages of the dashboard: finding by keyboard, and tables that are copied, saved and made narrower.
import assert from "node:assert/strict";

import { run, step } from "./driver/suite.mjs";
import { url } from "./driver/server.mjs";
import { connect, signIn } from "./world.mjs";

async function dashboard(browser, path = "") {
  const person = await browser.person();
  await signIn(person);
  const tab = await person.tab();
  await tab.open(`${url}/dashboard/default${path}`);
  return tab;
}

async function palette(tab, text) {
  await tab.page.keyboard.down("Control");
  await tab.keys("k");
  await tab.page.keyboard.up("Control");
  await tab.expect("dialog[open]");
  await tab.page.keyboard.type(text);
}

step("a connection is found and opened by keyboard alone", async ({ en, ja }) => {
  for (const browser of [en, ja]) {
    const made = await connect();
    const tab = await dashboard(browser);
    await palette(tab, made.name);
    await tab.expectText(made.name);
    await tab.expect("[role=option][aria-selected=true]");
    await tab.expectNoViolations();
    await Promise.all([tab.page.waitForNavigation(), tab.keys("Enter")]);
    assert.ok(tab.page.url().endsWith(`/connections/${made.id}`), tab.page.url());
    // What was looked at last is the first thing that is offered.
    await tab.open(`${url}/dashboard/default`);
    await palette(tab, "");
    await tab.expectText(made.name);
  }
});

step("the manual is found too, and what fits nothing is told", async ({ en }) => {
  const tab = await dashboard(en);
  await palette(tab, "webhook signature");
  await tab.expectText("Manual");
  await tab.page.keyboard.type(" zzzzzz");
  await tab.expectText("Nothing fits");
});

step("a table is saved as a spreadsheet reads it, and has the columns that somebody wants", async ({ en }) => {
  await connect(`=1+1, "quoted" ${Date.now()}`);
  const tab = await dashboard(en, "/connections");
  await tab.page.evaluate(() => {
    globalThis.saved = new Promise((resolve) => {
      const original = URL.createObjectURL;
      URL.createObjectURL = (blob) => {
        blob.arrayBuffer().then((bytes) => resolve([...new Uint8Array(bytes)]));
        return original(blob);
      };
    });
  });
  const total = (await tab.page.$$("tbody tr")).length;
  await tab.type("Filter these rows", "ＱＵＯＴＥＤ active");
  const left = await tab.page.$$eval("tbody tr:not([hidden])", (rows) => rows.map((row) => row.textContent));
  assert.ok(left.length < total && left.length && left.every((text) => text.includes("quoted")), `${left} of ${total}`);
  await tab.press("Save as CSV");
  const bytes = Buffer.from(await tab.page.evaluate(() => globalThis.saved));
  assert.deepEqual([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
  const [head, ...lines] = bytes.subarray(3).toString().trimEnd().split("\r\n");
  assert.equal(head, "Connection name,Integration,Health,User,Tags,Tested,Made");
  const line = lines.find((one) => one.includes("quoted"));
  assert.match(line, /^"'=1\+1, ""quoted"" \d+",Kintone,Active,/);
  assert.equal(lines.length, left.length, "what is hidden is left out");
  assert.match(line, /,\d{4}-\d\d-\d\dT[^,]+Z$/, "moments are for machines");
  await tab.press("Columns");
  await tab.pressOn("[data-columns] li:nth-child(4) label");
  await tab.open(`${url}/dashboard/default/connections`);
  const headings = await tab.page.evaluate(() => [...document.querySelectorAll("thead th")].filter((one) => !one.hidden).map((one) => one.textContent));
  assert.ok(!headings.includes("Tags"), "the choice is remembered");
  assert.ok(headings.includes("Health"));
});

await run();
