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
