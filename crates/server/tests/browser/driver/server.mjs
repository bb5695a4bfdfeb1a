// The server and the emulated vendor, as an embedder's back end and the vendor's administrator reach them.

/** Where the server is. */
export const url = process.env.BASE_URL;

/** Calls the REST API with the key of the environment; anything but success is an error, unless a status is expected. */
export async function api(method, path, body, expected) {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${process.env.API_KEY}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  if (expected ? answer.status !== expected : !answer.ok) {
    throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
  }
  return text ? JSON.parse(text) : undefined;
}

/** Tells or asks the emulated vendor about a tenant. */
export async function vendor(method, path, body, tenant = "demo") {
  const answer = await fetch(`${process.env.VENDOR_CONTROL_URL}/tenants/${tenant}/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`the vendor answered ${method} ${path} with ${answer.status}: ${text}`);
  return JSON.parse(text);
}

/** A name that nothing else has. */
export const unique = (() => {
  let count = 0;
  return (name) => `${name} ${(count += 1)}`;
})();
