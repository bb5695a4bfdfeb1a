// The vendor's command-line tool: export to CSV and import again, with attachments and rows of a table.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apps, baseUrl, basic, cli, client, finish, step, tokens, user } from "./settings.mjs";

const kintone = client();
const folder = mkdtempSync(join(tmpdir(), "kintone-cli-"));
const credential = user
  ? ["--username", user.username, "--password", user.password]
  : ["--api-token", tokens.join(",")];
const gate = basic ? ["--basic-auth-username", basic.username, "--basic-auth-password", basic.password] : [];

// Runs one command and returns what it prints.
function run(...words) {
  const common = ["--base-url", baseUrl, ...credential, ...gate];
  try {
    return execFileSync(cli, [...words, ...common], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error(`${words.join(" ")} failed: ${error.stdout}${error.stderr}`);
  }
}

const orders = String(apps.orders);
const customers = String(apps.customers);

await step("export all records of an app", () => {
  const csv = run("record", "export", "--app", customers);
  assert.equal(csv.match(/^"?CUS-/gm)?.length ?? csv.match(/CUS-\d+/g).length, 24);
});

await step("export with a condition, an order and chosen fields", () => {
  const csv = run("record", "export", "--app", customers, "--condition", 'industry in ("Retail")',
    "--order-by", "customer_code asc", "--fields", "customer_code,company");
  const lines = csv.trim().split("\n");
  assert.equal(lines.length, 5);
  assert.match(lines[0], /customer_code.*company/);
  assert.match(lines[1], /C001.*Alder Trading/);
});

let exported;
await step("export rows of a table and attachments", () => {
  const attachments = join(folder, "exported");
  exported = run("record", "export", "--app", orders, "--attachments-dir", attachments,
    "--order-by", "order_number asc");
  const header = exported.split("\n")[0];
  assert.match(header, /^"?\*"?,/);
  const files = readdirSync(attachments, { recursive: true }).filter((name) => String(name).endsWith(".csv"));
  assert.equal(files.length, 6);
});

await step("import rows of a table and attachments", async () => {
  const attachments = join(folder, "to-import");
  mkdirSync(attachments);
  writeFileSync(join(attachments, "note.txt"), "a note\n");
  const file = join(folder, "orders.csv");
  writeFileSync(file, [
    '"*","order_number","customer","order_date","payment","priority","lines","line_product","line_quantity","documents"',
    '"*","T-100","C003","2025-11-01","Card","High","","P001","2","note.txt"',
    '"","T-100","C003","2025-11-01","Card","High","","P002","1","note.txt"',
    '"*","T-101","C004","2025-11-02","Invoice","Low","","P003","5",""',
    "",
  ].join("\n"));
  run("record", "import", "--app", orders, "--file-path", file, "--attachments-dir", attachments);
  const { records } = await kintone.record.getRecords({
    app: orders,
    query: 'order_number in ("T-100", "T-101") order by $id asc',
  });
  assert.equal(records.length, 2);
  const [first] = records;
  assert.equal(first.customer_name.value, "Cedar Supply");
  assert.deepEqual(first.lines.value.map((row) => row.value.line_name.value), ["Desk lamp", "Floor lamp"]);
  const [document] = first.documents.value;
  const bytes = await kintone.file.downloadFile({ fileKey: document.fileKey });
  assert.equal(Buffer.from(bytes).toString(), "a note\n");
});

await step("import with an update key: updates and adds", async () => {
  const file = join(folder, "customers.csv");
  writeFileSync(file, [
    '"customer_code","company","services"',
    '"C001","Alder Renamed","Delivery\nSupport"',
    '"T-900","Brand New",""',
    "",
  ].join("\n"));
  run("record", "import", "--app", customers, "--file-path", file, "--update-key", "customer_code");
  const { records } = await kintone.record.getRecords({
    app: customers,
    query: 'customer_code in ("C001", "T-900") order by $id asc',
  });
  assert.deepEqual(records.map((record) => record.company.value), ["Alder Renamed", "Brand New"]);
  assert.deepEqual(records[0].services.value, ["Delivery", "Support"]);
});

await step("what was exported can be imported again", async () => {
  const file = join(folder, "again.csv");
  const attachments = join(folder, "exported");
  writeFileSync(file, exported);
  run("record", "import", "--app", orders, "--file-path", file, "--update-key", "order_number",
    "--attachments-dir", attachments, "--fields", "order_number,customer,order_date,lines,documents");
  const { record } = await kintone.record.getRecord({ app: orders, id: 1 });
  assert.equal(record.documents.value[0].name, "delivery-note-1.csv");
  assert.ok(Number(record.$revision.value) > 1);
});

// The tool deletes with API tokens alone.
if (tokens) {
  await step("delete records", async () => {
    const file = join(folder, "delete.csv");
    const { records } = await kintone.record.getRecords({ app: orders, query: 'order_number in ("T-100", "T-101")' });
    const numbers = records.map((record) => `"${record.Record_number.value}"`);
    writeFileSync(file, ['"Record_number"', ...numbers, ""].join("\n"));
    run("record", "delete", "--app", orders, "--file-path", file, "--yes");
    assert.equal((await kintone.record.getRecords({ app: orders, totalCount: true })).totalCount, "40");
  });
}

rmSync(folder, { recursive: true });
finish();
