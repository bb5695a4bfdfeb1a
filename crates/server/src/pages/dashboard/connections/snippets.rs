//! How a connection is called from outside, with its own names in it.

use tombolo_platform::catalog::VendorClient;
use tombolo_platform::store::{Connection, Integration};

use crate::pages::dashboard::shown::encoded;
use crate::routes::Routes;

/// The same call for several tools, with `$TOMBOLO_API_KEY` where the key stands.
pub(crate) fn snippets(
    routes: &Routes,
    integration: &Integration,
    connection: &Connection,
) -> Vec<(String, String)> {
    let base = routes.public_url.known().unwrap_or("https://tombolo.example.com");
    let key = &integration.unique_key;
    let id = &connection.connection_id;
    let provider = routes.platform.provider_of(integration).ok();
    let path = provider.as_ref().and_then(|provider| {
        let stage =
            provider.test.iter().find(|stage| stage.request.method == "GET" && stage.for_each.is_none())?;
        Some(stage.request.path.source().to_owned()).filter(|path| !path.contains("${"))
    });
    let path = path.unwrap_or_else(|| "/".to_owned());
    let drop_in = format!("{base}/c/{}/{}", encoded(key), encoded(id));
    let common = [
        (
            "curl",
            format!(
                "curl '{base}/proxy{path}' \\\n  -H \"Authorization: Bearer $TOMBOLO_API_KEY\" \\\n  \
                 -H 'Provider-Config-Key: {key}' \\\n  -H 'Connection-Id: {}'",
                encoded(id)
            ),
        ),
        (
            "JavaScript",
            format!(
                "import {{ Nango }} from '@nangohq/node';\n\nconst nango = new Nango({{ host: '{base}', apiKey: \
                 process.env.TOMBOLO_API_KEY }});\nconst {{ data }} = await nango.get({{\n  endpoint: '{path}',\n  \
                 providerConfigKey: '{key}',\n  connectionId: {},\n}});",
                serde_json::json!(id)
            ),
        ),
        (
            "Python",
            format!(
                "import os, requests\n\nanswer = requests.get(\n    '{base}/proxy{path}',\n    headers={{\n        \
                 'Authorization': f\"Bearer {{os.environ['TOMBOLO_API_KEY']}}\",\n        'Provider-Config-Key': \
                 '{key}',\n        'Connection-Id': '{}',\n    }},\n)\nprint(answer.json())",
                encoded(id)
            ),
        ),
        (
            "Rust",
            format!(
                "let answer = reqwest::Client::new()\n    .get(\"{base}/proxy{path}\")\n    \
                 .bearer_auth(std::env::var(\"TOMBOLO_API_KEY\")?)\n    .header(\"Provider-Config-Key\", \"{key}\")\n    \
                 .header(\"Connection-Id\", \"{}\")\n    .send()\n    .await?;",
                encoded(id)
            ),
        ),
        ("tombolo", format!("TOMBOLO_URL={base} tombolo request -c {} GET '{path}'", shell_quoted(id))),
    ];
    let config = serde_json::from_value(connection.target.config.clone()).unwrap_or_default();
    let of_vendor = provider.iter().flat_map(|provider| {
        let code = |client: &VendorClient| client.code_for(&drop_in, &provider.config, &config);
        provider.clients.iter().map(move |client| (client.name.clone(), code(client)))
    });
    let common = common.into_iter().map(|(name, code)| (name.to_owned(), code));
    common.chain(of_vendor).chain([("URL".to_owned(), drop_in.clone())]).collect()
}

/// A text as one word of a shell.
fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
