//! How a provider file that is wrong about OAuth 2.0 is told so.

use tombolo_catalog::{Common, Provider};

#[test]
fn tokens_of_the_vendor() {
    let oauth2 = |block: &str| format!("type: oauth2\n    oauth2: {{ {block} }}");
    let told_of = |block: &str| {
        let text = include_str!("../../../../providers/oomnitza.yaml");
        let common = Common::built_in().expect("the common table loads");
        let (before, rest) = text.split_once("\nauth:\n").expect("schemes");
        let (_, after) = rest.split_once("\nstrip_headers:").expect("what follows the schemes");
        let scheme = format!("  - id: oauth\n    name: {{ en: OAuth, ja: 許可 }}\n    {}\n", oauth2(block));
        let text = format!("{before}\nauth:\n{scheme}\nstrip_headers:{after}");
        let faults = Provider::parse("oomnitza.yaml", &text, &common).err().unwrap_or_default();
        faults.first().map_or("good".to_owned(), |fault| format!("{}\n  fix: {}", fault.message, fault.fix))
    };
    let url = "https://${config.subdomain}.oomnitza.com/token";
    let cases = [
        ("nobody agrees anywhere", format!("flow: authorization_code, token_url: '{url}'")),
        ("the client is not asked for", format!("flow: client_credentials, token_url: '{url}'")),
        ("the flow is unknown", format!("flow: implicit, token_url: '{url}'")),
        (
            "tokens come from elsewhere",
            format!(
                "flow: authorization_code, authorization_url: '{url}', token_url: 'https://tokens.example.com/'"
            ),
        ),
        (
            "an answer fills no field",
            format!(
                "flow: authorization_code, authorization_url: '{url}', token_url: '{url}', token_answer: {{ config: {{ team: team.id }} }}"
            ),
        ),
    ];
    let all: Vec<String> = cases.iter().map(|(name, block)| format!("{name}\n{}", told_of(block))).collect();
    insta::assert_snapshot!(all.join("\n\n"), @r"
    nobody agrees anywhere
    the scheme `oauth` does not say where a person agrees
      fix: add `authorization_url:`

    the client is not asked for
    the scheme `oauth` does not ask for its client
      fix: declare the fields `client_id`, and `client_secret` with `secret: true`

    the flow is unknown
    `implicit` is not known here
      fix: use one of authorization_code, client_credentials

    tokens come from elsewhere
    `https://tokens.example.com/` leads to `tokens.example.com`, which none of `hosts` allows
      fix: add a pattern for it to `hosts`, such as `{subdomain}.example.com`

    an answer fills no field
    `token_answer.config.team` is no field of `config`
      fix: declare `team` under `config`, or remove the line `team: team.id`
    ");
}

/// A redirect passes through a browser: what it carries must not choose where the secrets go.
#[test]
fn a_redirect_that_would_choose_any_host() {
    let common = Common::built_in().expect("the common table loads");
    let told_of = |hosts: &str, base_url: &str, token_url: &str| {
        let text = format!(
            "id: acme
name: {{ en: Acme, ja: Acme }}
description: {{ en: Orders., ja: 注文を扱います。 }}
documentation: https://developers.acme.example/
hosts: [{hosts}]
base_url: {base_url}
config:
  host:
    label: {{ en: Host, ja: ホスト }}
    automatic: true
auth:
  - id: oauth2
    name: {{ en: OAuth, ja: OAuth }}
    type: oauth2
    oauth2:
      flow: authorization_code
      authorization_url: https://id.acme.example/auth
      token_url: {token_url}
      redirect_config: {{ host: api_host }}
strip_headers: [Authorization]
test:
  - id: credential
    name: {{ en: The token is accepted, ja: トークンが受け付けられる }}
    request: {{ path: /me }}
    accept: {{ member: id }}
"
        );
        match Provider::parse("acme.yaml", &text, &common) {
            Ok(_) => "good".to_owned(),
            Err(faults) => faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        }
    };
    let fixed = "https://id.acme.example/token";
    let all = [
        told_of("'*'", "https://${config.host}", fixed),
        told_of("'*'", "https://api.acme.example", "https://${config.host}/token"),
        told_of("'*'", "https://api.acme.example", fixed),
        told_of("'{host}.acme.example', 'id.acme.example'", "https://${config.host}.acme.example", fixed),
    ];
    insta::assert_snapshot!(all.join("\n\n"), @r"
    acme.yaml:6:11: the vendor's redirect fills `config.host`, and so would choose any host for the secrets
      fix: name the vendor's hosts in `hosts`, or have `host` typed: remove it from `redirect_config`

    acme.yaml:18:18: the vendor's redirect fills `config.host`, and so would choose any host for the secrets
      fix: name the vendor's hosts in `hosts`, or have `host` typed: remove it from `redirect_config`

    good

    good
    ");
}
