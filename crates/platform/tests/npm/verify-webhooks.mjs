// Checks what a receiver got with published libraries. Reads one JSON object: the secret, and deliveries with headers and body.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const require = createRequire(path.join(process.env.NPM_CLIENTS_DIR, 'package.json'));
const { Webhook } = require('standardwebhooks');
const { Nango } = require('@nangohq/node');

const { secret, deliveries } = JSON.parse(readFileSync(0, 'utf8'));
const webhook = new Webhook(secret);
const nango = new Nango({ host: 'http://localhost', secretKey: 'unused', webhookSigningKey: secret });

for (const { headers, body } of deliveries) {
  const event = webhook.verify(body, headers);
  if (event.type === undefined) throw new Error('the body has no type');
  if (!nango.verifyIncomingWebhookRequest(body, headers)) throw new Error('the compatible header does not fit');
  // A receiver must be able to see that something was changed, or is old.
  for (const changed of [
    { headers, body: body.replace('"type"', '"typo"') },
    { headers: { ...headers, 'webhook-id': 'evt_other' }, body },
    { headers: { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 3600) }, body },
  ]) {
    let passed = true;
    try {
      webhook.verify(changed.body, changed.headers);
    } catch {
      passed = false;
    }
    if (passed) throw new Error('a changed delivery passes');
  }
}
console.log('all passed');
