// Every record method of the vendor's JavaScript client, and what surrounds records.
import assert from "node:assert/strict";
import { KintoneRestAPIError, apps, client, finish, step, user } from "./settings.mjs";

const kintone = client();
const { customers, orders } = apps;
const customer = (number) => ({
  customer_code: { value: `T${number}` },
  company: { value: `Test ${number}` },
  employees: { value: number },
});
const numbers = (from, count) => Array.from({ length: count }, (_, place) => from + place);
const ours = (records) => records.filter((record) => record.customer_code.value.startsWith("T"));
const refused = (code, status) => (error) =>
  error instanceof KintoneRestAPIError && error.code === code && error.status === status;

await step("app and form", async () => {
  const app = await kintone.app.getApp({ id: customers });
  assert.equal(app.code, "CUS");
  const { properties, revision } = await kintone.app.getFormFields({ app: customers });
  assert.equal(properties.customer_code.unique, true);
  assert.equal(revision, "3");
  const { layout } = await kintone.app.getFormLayout({ app: orders });
  assert.ok(layout.some((row) => row.type === "SUBTABLE"));
  assert.ok((await kintone.app.getViews({ app: customers })).views["All customers"]);
  assert.equal((await kintone.app.getAppSettings({ app: customers })).name, "Customers");
  assert.equal((await kintone.app.getProcessManagement({ app: orders })).actions.length, 3);
});

await step("getRecords, getRecord", async () => {
  const { records, totalCount } = await kintone.record.getRecords({
    app: customers,
    fields: ["$id", "company"],
    query: 'industry in ("Retail") order by $id asc limit 2',
    totalCount: true,
  });
  assert.equal(totalCount, "4");
  assert.deepEqual(records[0], {
    $id: { type: "__ID__", value: "1" },
    company: { type: "SINGLE_LINE_TEXT", value: "Alder Trading" },
  });
  const { record } = await kintone.record.getRecord({ app: orders, id: 1 });
  assert.equal(record.lines.type, "SUBTABLE");
  assert.equal(record.Record_number.value, "ORD-1");
});

await step("a query too long for an address", async () => {
  const codes = numbers(0, 900).map((number) => `"code-${number}"`).join(",");
  const { records } = await kintone.record.getRecords({ app: customers, query: `customer_code in (${codes})` });
  assert.deepEqual(records, []);
});

let first;
await step("addRecord, updateRecord, revision", async () => {
  first = await kintone.record.addRecord({ app: customers, record: customer(1) });
  assert.equal(first.revision, "1");
  const updated = await kintone.record.updateRecord({
    app: customers,
    id: first.id,
    record: { notes: { value: "a\nb" } },
    revision: first.revision,
  });
  assert.equal(updated.revision, "2");
  const stale = { app: customers, id: first.id, record: {}, revision: 1 };
  await assert.rejects(kintone.record.updateRecord(stale), refused("GAIA_CO02", 409));
});

await step("update by key", async () => {
  const updateKey = { field: "customer_code", value: "T1" };
  const record = { company: { value: "Renamed" } };
  assert.equal((await kintone.record.updateRecord({ app: customers, updateKey, record })).revision, "3");
  const unknown = { app: customers, updateKey: { field: "customer_code", value: "nobody" }, record };
  await assert.rejects(kintone.record.updateRecord(unknown), refused("GAIA_RE20", 404));
});

await step("upsertRecord", async () => {
  const upsert = (number) =>
    kintone.record.upsertRecord({
      app: customers,
      updateKey: { field: "customer_code", value: `T${number}` },
      record: { company: { value: `Test ${number}` } },
    });
  assert.equal((await upsert(1)).id, first.id);
  assert.equal((await upsert(2)).revision, "1");
});

await step("addRecords, updateRecords, upsertRecords, deleteRecords", async () => {
  const added = await kintone.record.addRecords({ app: customers, records: numbers(10, 3).map(customer) });
  assert.equal(added.ids.length, 3);
  const updated = await kintone.record.updateRecords({
    app: customers,
    records: added.ids.map((id) => ({ id, record: { employees: { value: "1.5e1" } } })),
  });
  assert.deepEqual(updated.records.map(({ revision }) => revision), ["2", "2", "2"]);
  const { record } = await kintone.record.getRecord({ app: customers, id: added.ids[0] });
  assert.equal(record.employees.value, "15");
  const upserted = await kintone.record.updateRecords({
    app: customers,
    upsert: true,
    records: [10, 20].map((number) => ({
      updateKey: { field: "customer_code", value: `T${number}` },
      record: { company: { value: "Upserted" } },
    })),
  });
  assert.deepEqual(upserted.records.map(({ operation }) => operation), ["UPDATE", "INSERT"]);
  const ids = [...added.ids, upserted.records[1].id];
  await kintone.record.deleteRecords({ app: customers, ids });
  await assert.rejects(kintone.record.getRecord({ app: customers, id: ids[0] }), refused("GAIA_RE01", 404));
});

await step("a wrong cell is named, and nothing is written", async () => {
  const records = [customer(30), { ...customer(31), employees: { value: "many" } }];
  await assert.rejects(kintone.record.addRecords({ app: customers, records }), (error) => {
    assert.ok(refused("CB_VA01", 400)(error));
    assert.ok(error.errors["records[1].employees.value"], JSON.stringify(error.errors));
    return true;
  });
  const { records: found } = await kintone.record.getRecords({ app: customers, query: 'customer_code = "T30"' });
  assert.deepEqual(found, []);
});

await step("addAllRecords, updateAllRecords, the same with upsert", async () => {
  const { records } = await kintone.record.addAllRecords({
    app: customers,
    records: numbers(1000, 2150).map(customer),
  });
  assert.equal(records.length, 2150);
  const updated = await kintone.record.updateAllRecords({
    app: customers,
    records: records.map(({ id }) => ({ id, record: { notes: { value: "all" } } })),
  });
  assert.equal(updated.records.length, 2150);
  assert.equal(updated.records[2149].revision, "2");
  const upserted = await kintone.record.updateAllRecords({
    app: customers,
    upsert: true,
    records: numbers(3100, 60).map((number) => ({
      updateKey: { field: "customer_code", value: `T${number}` },
      record: { company: { value: "Upserted" } },
    })),
  });
  assert.equal(upserted.records.length, 60);
});

await step("getAllRecords with id, with offset, with cursor", async () => {
  const expected = 24 + 2 + 2150 + 10;
  const byId = await kintone.record.getAllRecordsWithId({ app: customers, fields: ["customer_code"] });
  assert.equal(byId.length, expected);
  const condition = 'notes not like "all"';
  assert.equal((await kintone.record.getAllRecordsWithId({ app: customers, condition })).length, expected - 2150);
  const orderBy = "customer_code desc";
  const byOffset = await kintone.record.getAllRecordsWithOffset({ app: customers, orderBy });
  const byCursor = await kintone.record.getAllRecordsWithCursor({ app: customers, query: `order by ${orderBy}` });
  assert.equal(byOffset.length, expected);
  assert.deepEqual(byCursor, byOffset);
  assert.equal((await kintone.record.getAllRecords({ app: customers, orderBy })).length, expected);
  assert.equal((await kintone.record.getAllRecords({ app: customers })).length, expected);
});

await step("deleteAllRecords", async () => {
  const records = ours(await kintone.record.getAllRecordsWithId({ app: customers }));
  await kintone.record.deleteAllRecords({
    app: customers,
    records: records.map((record) => ({ id: record.$id.value, revision: record.$revision.value })),
  });
  const { totalCount } = await kintone.record.getRecords({ app: customers, totalCount: true });
  assert.equal(totalCount, "24");
});

await step("cursors", async () => {
  const { id, totalCount } = await kintone.record.createCursor({ app: orders, size: 30 });
  assert.equal(totalCount, "40");
  const page = await kintone.record.getRecordsByCursor({ id });
  assert.deepEqual([page.records.length, page.next], [30, true]);
  await kintone.record.deleteCursor({ id });
  await assert.rejects(kintone.record.getRecordsByCursor({ id }), refused("GAIA_CN01", 404));
  const open = [];
  for (const _ of numbers(0, 10)) open.push(await kintone.record.createCursor({ app: orders }));
  await assert.rejects(kintone.record.createCursor({ app: orders }), refused("GAIA_TM12", 429));
  for (const cursor of open) await kintone.record.deleteCursor(cursor);
});

await step("bulkRequest: all or nothing", async () => {
  const add = (number) => ({
    method: "POST",
    api: "/k/v1/record.json",
    payload: { app: customers, record: customer(number) },
  });
  const wrong = { ...add(52), payload: { app: customers, record: { employees: { value: "x" } } } };
  await assert.rejects(kintone.bulkRequest({ requests: [add(50), wrong, add(51)] }), (error) => {
    assert.equal(error.bulkRequestIndex, 1);
    return refused("CB_VA01", 400)(error);
  });
  assert.equal((await kintone.record.getRecords({ app: customers, totalCount: true })).totalCount, "24");
  const { results } = await kintone.bulkRequest({
    requests: [
      add(50),
      { method: "DELETE", api: "/k/v1/records.json", payload: { app: customers, ids: [24] } },
      { method: "PUT", api: "/k/v1/record/status.json", payload: { app: orders, id: 1, action: "Start", assignee: "ben" } },
    ],
  });
  assert.deepEqual(results[1], {});
  assert.equal(results[2].revision, "3");
});

await step("lookups copy, in the record and in its rows", async () => {
  const { id } = await kintone.record.addRecord({
    app: orders,
    record: {
      order_number: { value: "T-1" },
      customer: { value: "C002" },
      lines: { value: [{ value: { line_product: { value: "P003" }, line_quantity: { value: 3 } } }] },
    },
  });
  const { record } = await kintone.record.getRecord({ app: orders, id });
  assert.equal(record.customer_name.value, "Birch Works");
  assert.equal(record.lines.value[0].value.line_name.value, "LED strip 5 m");
  const unknown = { app: orders, record: { order_number: { value: "T-2" }, customer: { value: "nobody" } } };
  await assert.rejects(kintone.record.addRecord(unknown), refused("GAIA_LO04", 400));
});

await step("files", async () => {
  const data = Buffer.from("first line\nsecond line \u8868\n");
  const { fileKey } = await kintone.file.uploadFile({ file: { name: "notes \u8868.txt", data } });
  const { id } = await kintone.record.addRecord({
    app: orders,
    record: { order_number: { value: "T-3" }, documents: { value: [{ fileKey }] } },
  });
  const { record } = await kintone.record.getRecord({ app: orders, id });
  const [file] = record.documents.value;
  assert.equal(file.name, "notes \u8868.txt");
  assert.equal(file.size, String(data.length));
  const downloaded = await kintone.file.downloadFile({ fileKey: file.fileKey });
  assert.deepEqual(Buffer.from(downloaded), data);
  // The client reads no code from an answer that it awaits as bytes.
  await assert.rejects(kintone.file.downloadFile({ fileKey }), (error) => error.status === 404);
});

await step("comments", async () => {
  const place = { app: orders, record: 2 };
  const { id } = await kintone.record.addRecordComment({
    ...place,
    comment: { text: "Please check", mentions: [{ code: "ben", type: "USER" }] },
  });
  for (const number of numbers(0, 11)) {
    await kintone.record.addRecordComment({ ...place, comment: { text: `number ${number}` } });
  }
  const comments = (more) => kintone.record.getRecordComments({ ...place, ...more });
  const page = await comments({ order: "asc", limit: 1 });
  assert.equal(page.comments[0].text, "Ben Fields \nPlease check");
  assert.deepEqual([page.older, page.newer], [false, true]);
  await kintone.record.deleteRecordComment({ ...place, comment: id });
  const newest = await comments({});
  assert.deepEqual([newest.comments.length, newest.older, newest.newer], [10, true, false]);
  assert.equal(newest.comments[0].text, "number 10");
  assert.equal((await comments({ offset: 10 })).comments.length, 1);
});

await step("statuses and assignees", async () => {
  const start = { app: orders, id: 5, action: "Start", assignee: "anna" };
  const { revision } = await kintone.record.updateRecordStatus(start);
  assert.equal(revision, "3");
  await assert.rejects(kintone.record.updateRecordStatus(start), refused("GAIA_IL03", 400));
  const assigned = await kintone.record.updateRecordAssignees({ app: orders, id: 5, assignees: ["anna"], revision });
  assert.equal(assigned.revision, "4");
  const { records } = await kintone.record.updateRecordsStatus({
    app: orders,
    records: [{ id: 5, action: "Complete" }, { id: 9, action: "Start", assignee: "ben" }],
  });
  assert.deepEqual(records, [{ id: "5", revision: "6" }, { id: "9", revision: "3" }]);
  const { record } = await kintone.record.getRecord({ app: orders, id: 5 });
  assert.equal(record.Status.value, "Completed");
});

await step("codes of refusals", async () => {
  const query = (text) => kintone.record.getRecords({ app: customers, query: text });
  await assert.rejects(query("limit 501"), refused("GAIA_QU01", 400));
  await assert.rejects(query("offset 10001"), refused("GAIA_QU02", 400));
  await assert.rejects(query("nowhere = 1"), refused("GAIA_IQ11", 400));
  await assert.rejects(query("industry = "), refused("CB_VA01", 400));
  await assert.rejects(kintone.app.getApp({ id: 999 }), refused("GAIA_AP01", 404));
});

if (user) {
  await step("what only users may ask", async () => {
    const { apps: found } = await kintone.app.getApps({ limit: 100 });
    assert.ok(found.some((app) => app.name === "Orders"));
    const { rights } = await kintone.record.getRecords({ app: customers }).then(() =>
      kintone.app.evaluateRecordsAcl({ app: customers, ids: [1] }),
    );
    assert.equal(rights[0].record.viewable, true);
  });
}

finish();
