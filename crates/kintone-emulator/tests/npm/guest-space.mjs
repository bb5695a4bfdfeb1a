// The vendor's JavaScript client in a guest space, with files and records.
//
//   GUEST_SPACE_ID, GUEST_APP  a space and an app of the built-in tenant `sample`
import assert from "node:assert/strict";
import { KintoneRestAPIError, client, finish, step, throughProxy } from "./settings.mjs";

const guestSpaceId = process.env.GUEST_SPACE_ID ?? "5";
const app = process.env.GUEST_APP ?? "21";
const kintone = client({ guestSpaceId });

await step("read the app and its records", async () => {
  assert.equal((await kintone.app.getApp({ id: app })).spaceId, guestSpaceId);
  const records = await kintone.record.getAllRecords({ app, fields: ["課題"] });
  assert.equal(records.length, 20);
});

await step("write records one by one and in bulk", async () => {
  const { fileKey } = await kintone.file.uploadFile({ file: { name: "図面.txt", data: "図面\n" } });
  const { id } = await kintone.record.addRecord({
    app,
    record: { 課題: { value: "写真の確認" }, 添付: { value: [{ fileKey }] } },
  });
  const { record } = await kintone.record.getRecord({ app, id });
  const bytes = await kintone.file.downloadFile({ fileKey: record.添付.value[0].fileKey });
  assert.equal(Buffer.from(bytes).toString(), "図面\n");
  const added = await kintone.record.addAllRecords({
    app,
    records: Array.from({ length: 120 }, (_, number) => ({ 課題: { value: `課題${number}` } })),
  });
  const records = [id, ...added.records.map((one) => one.id)].map((one) => ({ id: one }));
  await kintone.record.deleteAllRecords({ app, records });
  assert.equal((await kintone.record.getAllRecords({ app })).length, 20);
});

if (throughProxy) {
  await step("a client that knows nothing of the guest space reaches the app through the proxy", async () => {
    assert.equal((await client().record.getRecords({ app })).records.length, 20);
  });
} else {
  await step("without the guest space the app is not reached", async () => {
    await assert.rejects(
      client().record.getRecords({ app }),
      (error) => error instanceof KintoneRestAPIError && error.code === "GAIA_IL23",
    );
  });
}

finish();
