// The pages at both ends of the way to a vendor and back, as people use them.
import assert from "node:assert/strict";

import { api } from "./driver/server.mjs";
import { run, step } from "./driver/suite.mjs";
import { decide, link } from "./world.mjs";

for (const language of ["en", "ja"]) {
  step(`a person goes to the vendor and back (${language})`, async (browsers) => {
    const made = await link();
    const tab = await (await browsers[language].person()).tab();
    await tab.open(made.url);
    await tab.press({ en: "Go on", ja: "次へ進む" });
    await decide(tab);
    await tab.expect("[data-end=success]");
    const code = await (await tab.expect("strong")).evaluate((shown) => shown.textContent);
    const confirmed = await api("POST", `/authorizations/${made.id}/confirm`, { proof: code }, 201);
    assert.ok(confirmed.connection_id);
  });
}

step("by keyboard alone", async ({ en }) => {
  const made = await link();
  const tab = await (await en.person()).tab();
  await tab.open(made.url);
  await tab.tabTo("Go on");
  await tab.keys("Enter");
  await decide(tab);
  await tab.expect("[data-end=success]");
});

step("without a script", async ({ en }) => {
  const made = await link();
  const tab = await (await en.person({ script: false })).tab();
  await tab.open(made.url);
  await tab.press("Go on");
  await decide(tab);
  await tab.expectText("Almost connected to Kintone");
});

step("hostile names are text", async ({ en }) => {
  const name = `<img src=x onerror="document.title='owned'">'"&lt;script>`;
  const made = await link({ name });
  const tab = await (await en.person()).tab();
  await tab.open(made.url);
  await tab.expectText(`“${name}”`);
  await tab.press("Go on");
  await decide(tab);
  await tab.expectText(`“${name}”`);
  await tab.expectNoViolations();
  assert.notEqual(await tab.page.title(), "owned");
});

await run();
