//! What to try while the demo runs: lines to copy.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::sample::{GATED, GUEST, TOKENS};
use super::world::World;

/// Prints ready-made lines with the real address and key.
pub fn suggest(world: &World) {
    let (url, key) = (&world.url, &world.key.secret);
    let encode = |name: &str| utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
    let (tokens, gated, guest) = (encode(TOKENS), encode(GATED), encode(GUEST));
    println!(
        "\nThe demo stays up; Ctrl-C ends it. Things to try in another terminal:

  curl, naming the connection in headers:

    curl '{url}/proxy/k/v1/record.json?app=1&id=1' -H 'Authorization: Bearer {key}' \\
         -H 'Provider-Config-Key: kintone' -H 'Connection-Id: {tokens}'

  curl, by the drop-in URL:

    curl '{url}/c/kintone/{gated}/k/v1/records.json?app=11' -H 'Authorization: Bearer {key}'

  Kintone's own JavaScript client, unchanged (npm install @kintone/rest-api-client):

    node -e \"const {{KintoneRestAPIClient}} = require('@kintone/rest-api-client');
    new KintoneRestAPIClient({{baseUrl: '{url}/c/kintone/{tokens}', auth: {{apiToken: '{key}'}}}})
      .record.getRecords({{app: 2, query: 'limit 3', fields: ['order_number', 'customer_name']}}).then(r => console.log(JSON.stringify(r.records)))\"

  Kintone's own command line, unchanged:

    npx @kintone/cli record export --base-url '{url}/c/kintone/{guest}' --api-token '{key}' --app 21

  Tombolo's command line:

    TOMBOLO_URL={url} TOMBOLO_API_KEY={key} tombolo connection test '{TOKENS}'
    TOMBOLO_URL={url} TOMBOLO_API_KEY={key} tombolo request -c '{TOKENS}' GET '/k/v1/app.json?id=1'"
    );
}
