//! Broken provider files: what is broken, and what the person is told. Each row changes `acme.yaml`, which is whole, in
//! one place.

use tombolo_catalog::{Common, Provider};

const ACME: &str = include_str!("acme.yaml");

#[test]
fn the_file_that_the_others_are_made_from_is_whole() {
    assert_eq!(diagnose("acme.yaml", ACME), "nothing is wrong\n");
}

/// Links of a form lead to the vendor and to nobody else, whatever was typed.
#[test]
fn links_lead_to_the_hosts_of_the_provider() {
    const FIELD: &str = "    label: { en: Region, ja: リージョン }\n";
    let link = |address: &str| format!("{FIELD}    link: {address}\n");
    for (address, expected) in [
        ("https://elsewhere.example/", "leads to `elsewhere.example`, which none of `hosts` allows"),
        ("http://${config.subdomain}.acme.example/", "does not start with `https://`"),
        ("javascript:alert(1)", "does not start with `https://`"),
        ("https://${config.tenant}.acme.example/", "`${config.tenant}` is no field of `config`"),
    ] {
        let wrong = told(&[("a link", FIELD, &link(address))]);
        assert!(wrong.contains(expected), "{address}: {wrong}");
    }
}

#[test]
fn yaml() {
    insta::assert_snapshot!(told(&[
        ("a bracket is never closed", "name: { en: Acme, ja: アクメ }", "name: { en: Acme, ja: アクメ"),
        ("a tab indents", "  subdomain:\n    label", "\tsubdomain:\n    label"),
        ("a key stands twice", "categories: [shop]", "categories: [shop]\nid: acme"),
        ("a field stands twice", "  shop:\n    label", "  subdomain:\n    label"),
        ("a key has a slip of the pen", "documentation:", "documentatoin:"),
        ("a key is unknown", "    optional: true\n  region", "    colour: red\n  region"),
        ("a key is missing", "    label: { en: Region, ja: リージョン }\n", ""),
        ("a value is unknown", "type: choice", "type: chioce"),
        ("a value is far from any", "side: input", "side: user"),
        ("a yes is no yes", "    optional: true\n  region", "    optional: maybe\n  region"),
        ("a number is none", "statuses: [401]", "statuses: [four]"),
        ("a number is negative", "max: 50", "max: -1"),
        ("a list is a map", "query: [[limit, \"1\"]]", "query: { limit: 1 }"),
        ("a text is a list", "documentation: https://acme.example/docs", "documentation: [https://acme.example]"),
    ]), @r"
    a bracket is never closed
    acme.yaml:3:12: while parsing a flow mapping, did not find expected ',' or '}'
      fix: close the bracket, and put quotes around a text that has a comma in it

    a tab indents
    acme.yaml:9:2: a tab stands where blanks indent
      fix: indent with blanks

    a key stands twice
    acme.yaml:6:1: `id` stands here twice
      fix: remove one of the two

    a field stands twice
    acme.yaml:13:3: `subdomain` stands here twice
      fix: remove one of the two

    a key has a slip of the pen
    acme.yaml:4:1: `documentatoin` is no key of this block
      fix: write `documentation`

    a key is unknown
    acme.yaml:16:5: `colour` is no key of this block
      fix: remove it; the keys of this block are label, help, steps, link, item, type, choices, pattern, example, default, optional, automatic, secret, fold, prefix, suffix, max_length

    a key is missing
    acme.yaml:20:5: `label` is missing
      fix: add `label:` to this block

    a value is unknown
    acme.yaml:19:11: `chioce` is not known here
      fix: write `choice`

    a value is far from any
    acme.yaml:63:11: `user` is not known here
      fix: use one of input, vendor, network, tombolo

    a yes is no yes
    acme.yaml:16:15: this is neither yes nor no
      fix: write `true` or `false`

    a number is none
    acme.yaml:66:16: this is no whole number that fits
      fix: write one from 0 to 65535

    a number is negative
    acme.yaml:58:23: this is no whole number that fits
      fix: write one that is not negative

    a list is a map
    acme.yaml:49:41: a list belongs here
      fix: write `[one, two]`, or a line with `- ` for each

    a text is a list
    acme.yaml:4:16: one text belongs here
      fix: write it in a line, in quotes if it has `: ` in it
    ");
}

#[test]
fn texts() {
    insta::assert_snapshot!(told(&[
        ("a language is missing", "name: { en: Token, ja: トークン }", "name: { en: Token }"),
        ("a language is empty", "name: { en: Gate, ja: ゲート }", "name: { en: Gate, ja: '' }"),
        ("an explanation is empty", "ja: トークンが拒否されました。", "ja: ' '"),
        ("there is a third language", "name: { en: Gate, ja: ゲート }", "name: { en: Gate, ja: ゲート, de: Tor }"),
    ]), @r"
    a language is missing
    acme.yaml:33:13: `ja` is missing
      fix: add `ja:` to this block

    a language is empty
    acme.yaml:27:27: the text is empty
      fix: write it in both languages

    an explanation is empty
    acme.yaml:67:45: the text is empty
      fix: write it in both languages

    there is a third language
    acme.yaml:27:32: `de` is no key of this block
      fix: remove it; the keys of this block are en, ja
    ");
}

#[test]
fn identity_and_address() {
    insta::assert_snapshot!(told(&[
        ("the id has capitals", "id: acme\n", "id: Acme\n"),
        ("the id is not the file's name", "id: acme\n", "id: acmee\n"),
        ("the base URL is not protected", "base_url: https://", "base_url: http://"),
        ("the base URL leads elsewhere", "{subdomain}.acme.example\"]", "{subdomain}.other.example\"]"),
        ("no host is allowed", "hosts: [\"{subdomain}.acme.example\"]", "hosts: []"),
        ("a host pattern leaves the domain open", "{subdomain}.acme.example\"]", "{subdomain}.example\"]"),
        ("a host pattern is a wildcard", "{subdomain}.acme.example\"]", "*.acme.example\"]"),
        ("the base URL needs an optional field", "base_url: https://", "base_url: https://${config.shop}."),
        ("the path rule is switched by nothing", "when: region", "when: regoin"),
        ("the path rule cuts a segment", "only_below: /r/", "only_below: /r"),
    ]), @r"
    the id has capitals
    acme.yaml:1:5: `Acme` is not an id
      fix: use lower-case letters, digits and `-`

    the id is not the file's name
    acme.yaml:1:5: the id `acmee` is not the name of the file
      fix: name the file `acmee.yaml`, or write `id: acme`

    the base URL is not protected
    acme.yaml:7:11: `http://${config.subdomain}.acme.example` does not start with `https://`
      fix: credentials only travel over TLS: write `https://…`

    the base URL leads elsewhere
    acme.yaml:7:11: `https://${config.subdomain}.acme.example` leads to `north.acme.example`, which none of `hosts` allows
      fix: add a pattern for it to `hosts`, such as `{subdomain}.example.com`

    no host is allowed
    acme.yaml:7:11: `https://${config.subdomain}.acme.example` leads to `north.acme.example`, which none of `hosts` allows
      fix: add a pattern for it to `hosts`, such as `{subdomain}.example.com`

    a host pattern leaves the domain open
    acme.yaml:6:9: `{subdomain}.example` leaves the domain open
      fix: write two literal labels at its end, such as `{subdomain}.example.com`

    a host pattern is a wildcard
    acme.yaml:6:9: `*` in `*.acme.example` is no label of a host name
      fix: use lower case, or a hole such as `{subdomain}`

    the base URL needs an optional field
    acme.yaml:7:11: `config.shop` is optional, but this address needs it
      fix: remove `optional: true` or give it a default

    the path rule is switched by nothing
    acme.yaml:22:47: `when: regoin` is no field of `config`
      fix: write `when: region`

    the path rule cuts a segment
    acme.yaml:22:47: `only_below: /r` of the path rule is no prefix of whole segments
      fix: begin and end it with `/`
    ");
}

#[test]
fn holes() {
    insta::assert_snapshot!(told(&[
        ("a field does not exist", "https://${config.subdomain}.acme", "https://${config.subdomian}.acme"),
        ("there is no entry", "https://${config.subdomain}.acme", "https://${entry.shop}.acme"),
        ("there is no answer yet", "https://${config.subdomain}.acme", "https://${answer.status}.acme"),
        ("an answer has no such member", "Copy it again from", "${answer.body}, copy it again from"),
        ("a secret is asked for", "https://${config.subdomain}.acme", "https://${secret.token}.acme"),
        ("the root is forgotten", "https://${config.subdomain}.acme", "https://${subdomain}.acme"),
        ("the name is forgotten", "https://${config.subdomain}.acme", "https://${config.}.acme"),
        ("the hole is never closed", "https://${config.subdomain}.acme", "https://${config.subdomain.acme"),
    ]), @r"
    a field does not exist
    acme.yaml:7:11: `${config.subdomian}` is no field of `config`
      fix: write `${config.subdomain}`, or declare `subdomian` under `config`

    there is no entry
    acme.yaml:7:11: `${entry.shop}` stands where there is no entry
      fix: use it in a stage with `for_each`, or in an explanation

    there is no answer yet
    acme.yaml:7:11: `${answer.status}` stands where there is no answer yet
      fix: use it in an explanation under `errors`

    an answer has no such member
    acme.yaml:68:16: `${answer.body}` is nothing that an answer has
      fix: use one of status, code, id, message

    a secret is asked for
    acme.yaml:7:11: `${secret.token}` has a root that nothing fills, `secret`
      fix: use `config`, `entry` or `answer`

    the root is forgotten
    acme.yaml:7:11: `${subdomain}` names no root
      fix: write `${config.subdomain}`

    the name is forgotten
    acme.yaml:7:11: `${config.}` names nothing
      fix: use letters, digits and `_`

    the hole is never closed
    acme.yaml:7:11: the hole that starts with `${config.subdomain.acme.example` is never closed
      fix: add `}`
    ");
}

#[test]
fn fields() {
    insta::assert_snapshot!(told(&[
        ("a pattern is no regular expression", "pattern: '[a-z0-9]+'", "pattern: '[a-z0-9+'"),
        ("a pattern looks back", "pattern: '[a-z0-9]+'", "pattern: '(a+)\\1'"),
        ("a pattern looks ahead", "pattern: '[a-z0-9]+'", "pattern: '(?=a)[a-z]+'"),
        ("the example would be refused", "example: north", "example: North Pole"),
        ("the default is not a choice", "default: jp", "default: eu"),
        ("there is nothing to choose from", "    choices: [jp, us]\n", ""),
        ("there are choices without a choice", "    type: choice\n", ""),
        ("the configuration has a secret", "    example: north", "    example: north\n    secret: true"),
        ("a setting is a secret", "type: integer, default", "secret: true, type: integer, default"),
        ("a setting's default would be refused", "default: \"100\"", "default: many"),
        ("a pasted group is no field", "(?<subdomain>", "(?<subdomian>"),
        ("a paste rule is no regular expression", "(?<subdomain>[a-z0-9]+)", "(?<subdomain>[a-z0-9]+"),
    ]), @r"
    a pattern is no regular expression
    acme.yaml:11:14: the pattern `[a-z0-9+` cannot be used: unclosed character class
      fix: mend the regular expression

    a pattern looks back
    acme.yaml:11:14: the pattern `(a+)\1` cannot be used: backreferences are not supported
      fix: patterns run in linear time, so that no input can stall the server: write it without this construct

    a pattern looks ahead
    acme.yaml:11:14: the pattern `(?=a)[a-z]+` cannot be used: look-around, including look-ahead and look-behind, is not supported
      fix: patterns run in linear time, so that no input can stall the server: write it without this construct

    the example would be refused
    acme.yaml:9:3: the example of `subdomain`, `North Pole`, would be refused
      fix: change it, or the type, pattern, choices or length that refuse it

    the default is not a choice
    acme.yaml:17:3: the default of `region`, `eu`, would be refused
      fix: change it, or the type, pattern, choices or length that refuse it

    there is nothing to choose from
    acme.yaml:17:3: `region` is a choice of nothing
      fix: add `choices: [one, two]`

    there are choices without a choice
    acme.yaml:17:3: `region` has choices and is none
      fix: add `type: choice`, or remove `choices`

    the configuration has a secret
    acme.yaml:9:3: `config.subdomain` is a secret
      fix: move it to the fields of an auth scheme or a gate: those are sealed

    a setting is a secret
    acme.yaml:76:3: the setting `page_size` is a secret
      fix: move it to the fields of an auth scheme or a gate: those are sealed

    a setting's default would be refused
    acme.yaml:76:3: the default of `page_size`, `many`, would be refused
      fix: change it, or the type, pattern, choices or length that refuse it

    a pasted group is no field
    acme.yaml:24:5: the group `subdomian` is no field of `config`
      fix: name the group `subdomain`

    a paste rule is no regular expression
    acme.yaml:24:5: the pattern `(?:https://)?(?<subdomain>[a-z0-9]+\.acme\.example.*` cannot be used: unclosed group
      fix: mend the regular expression
    ");
}

#[test]
fn auth_schemes_and_gates() {
    insta::assert_snapshot!(told(&[
        ("two schemes share an id", "id: password\n", "id: token\n"),
        ("the type is unknown", "type: encoded_password", "type: encoded-password"),
        ("no field is secret", "type: list, secret: true }", "type: list }"),
        ("two fields are secret", "en: Login, ja: ログイン } }", "en: Login, ja: ログイン }, secret: true }"),
        ("two fields of a form share a name", "      login: {", "      region: {"),
        ("there is no user name", "      login: { label: { en: Login, ja: ログイン } }\n", ""),
        ("the key goes to two places", "header: X-Acme-Token", "header: X-Acme-Token\n    query: token"),
        ("the key goes nowhere", "    header: X-Acme-Token\n", ""),
        ("the password goes nowhere", "    header: X-Acme-Login\n", ""),
        ("a header's name has blanks", "header: X-Acme-Token", "header: X Acme Token"),
        ("entries are by no field", "by: shop,", "by: shops,"),
        ("entries are by a field of one value", "by: shop,", "by: subdomain,"),
        ("no entry is allowed", "max: 3,", "max: 0,"),
        ("passwords have entries", "header: X-Acme-Login", "header: X-Acme-Login\n    entries: { max: 2, join: ',', by: shop }"),
        ("a selector is no call", "at: GET /v1/orders", "at: get /v1/orders"),
        ("a selector looks nowhere", "{ at: GET /v1/orders, query: shop }", "{ at: GET /v1/orders }"),
        ("the gate is unknown", "type: http_basic", "type: basic_http"),
        ("the gate lacks a field", "      basic_username: { label: { en: User, ja: ユーザー }, optional: true }\n", ""),
        ("the gate must be passed", "en: User, ja: ユーザー }, optional: true }", "en: User, ja: ユーザー } }"),
    ]), @r"
    two schemes share an id
    acme.yaml:39:5: there are two auth schemes `token`
      fix: give one of them another id

    the type is unknown
    acme.yaml:41:11: `encoded-password` is not known here
      fix: write `encoded_password`

    no field is secret
    acme.yaml:32:5: the scheme `token` has 0 secret fields
      fix: mark the field of its key or password with `secret: true`, and no other

    two fields are secret
    acme.yaml:39:5: the scheme `password` has 2 secret fields
      fix: mark the field of its key or password with `secret: true`, and no other

    two fields of a form share a name
    acme.yaml:44:7: there is another field `region` in the same form
      fix: give one of them another name

    there is no user name
    acme.yaml:39:5: the scheme `password` has 0 fields beside the secret one
      fix: declare one field for the user name and one for the password

    the key goes to two places
    acme.yaml:32:5: the scheme `token` sends the key to two places
      fix: keep one of `header` and `query`

    the key goes nowhere
    acme.yaml:32:5: the scheme `token` does not say where the key goes
      fix: add `header: NAME` or `query: NAME`

    the password goes nowhere
    acme.yaml:39:5: the scheme `password` does not say where the password goes
      fix: add `header: NAME`

    a header's name has blanks
    acme.yaml:32:5: `X Acme Token` is not the name of a header
      fix: use letters, digits and `-`, such as `X-Api-Key`

    entries are by no field
    acme.yaml:32:5: `entries.by: shops` is no field of `config`
      fix: write `by: shop`, or declare `shops` under `config`

    entries are by a field of one value
    acme.yaml:32:5: `entries.by: subdomain` is a field that holds one value
      fix: give `config.subdomain` the `type: list`: it is paired with the keys by position

    no entry is allowed
    acme.yaml:32:5: `entries.max: 0` allows no key at all
      fix: write how many keys one request may carry

    passwords have entries
    acme.yaml:39:5: the scheme `password` has `entries`
      fix: remove them: only an `api_key` may be several

    a selector is no call
    acme.yaml:36:60: `get /v1/orders` is not a call
      fix: write `GET /path`, `/path` or `/path/*`

    a selector looks nowhere
    acme.yaml:32:5: a selector of `entries.select` says nowhere to look
      fix: give it `query: NAME` or `body: PATH`

    the gate is unknown
    acme.yaml:26:11: `basic_http` is not known here
      fix: use one of http_basic, client_certificate

    the gate lacks a field
    acme.yaml:26:5: the gate lacks the field `basic_username`
      fix: add `basic_username:` to its fields

    the gate must be passed
    acme.yaml:26:5: the gate's field `basic_username` is not optional
      fix: add `optional: true`: most accounts have no gate
    ");
}

#[test]
fn connection_test() {
    insta::assert_snapshot!(told(&[
        ("two stages share an id", "id: shop\n", "id: orders\n"),
        ("an id is the engine's", "id: shop\n", "id: tls\n"),
        ("a scheme is not declared", "schemes: [token]\n    for_each", "schemes: [tokn]\n    for_each"),
        ("no scheme runs the stage", "schemes: [token]\n    for_each", "schemes: []\n    for_each"),
        ("a list is no field", "for_each: shop", "for_each: shops"),
        ("a list is one value", "for_each: shop", "for_each: region"),
        ("a condition is no field", "for_each: shop", "for_each: shop\n    when: shops"),
        ("there is no entry", "    for_each: shop\n", ""),
        ("the path has no slash", "path: /v1/orders,", "path: v1/orders,"),
        ("the stage writes", "request: { path: /v1/orders,", "request: { method: DELETE, path: /v1/orders,"),
    ]), @r"
    two stages share an id
    acme.yaml:51:5: the stage `orders` stands here twice
      fix: give it another id
    acme.yaml:73:17: `refused` names the stage `shop`, which does not exist
      fix: use the id of a stage under `test:`

    an id is the engine's
    acme.yaml:51:5: the stage `tls` is one of the engine's own
      fix: give it another id
    acme.yaml:73:17: `refused` names the stage `shop`, which does not exist
      fix: use the id of a stage under `test:`

    a scheme is not declared
    acme.yaml:51:5: the stage names the auth scheme `tokn`, which is not declared
      fix: use the id of a scheme under `auth:`

    no scheme runs the stage
    acme.yaml:51:5: the stage runs for no auth scheme
      fix: name some, or remove `schemes`

    a list is no field
    acme.yaml:51:5: `for_each: shops` is no field of `config`
      fix: declare the field or mend its name

    a list is one value
    acme.yaml:51:5: `for_each: region` is a field that holds one value
      fix: give the field the `type: list`, or use `when`

    a condition is no field
    acme.yaml:51:5: `when: shops` is no field of `config` or of a gate
      fix: declare the field or mend its name

    there is no entry
    acme.yaml:54:22: `${entry.shop}` stands where there is no entry
      fix: use it in a stage with `for_each`, or in an explanation

    the path has no slash
    acme.yaml:49:22: the path `v1/orders` does not start with `/`
      fix: write the path as callers write it, without scheme and host

    the stage writes
    acme.yaml:47:5: a stage cannot send `DELETE`
      fix: a test never writes: use GET, or POST where the vendor asks for reading that way
    ");
}

#[test]
fn explanations_and_limits() {
    insta::assert_snapshot!(told(&[
        ("a stage does not exist", "at: [orders]", "at: [order]"),
        ("a scheme is not declared", "schemes: [token]\n    statuses", "schemes: [tokens]\n    statuses"),
        ("HTTP has no such status", "statuses: [401]", "statuses: [99]"),
        ("a row is never reached", "    at: [orders]\n    schemes: [token]\n    statuses: [401]\n", ""),
        ("a call that is not sent again is no call", "never: [GET /v1/next]", "never: [GET v1/next]"),
        ("the start is above the limit", "max: 50", "max: 5"),
    ]), @r"
    a stage does not exist
    acme.yaml:67:17: `wrong_token` names the stage `order`, which does not exist
      fix: use the id of a stage under `test:`

    a scheme is not declared
    acme.yaml:67:17: `wrong_token` names the auth scheme `tokens`, which is not declared
      fix: use the id of a scheme under `auth:`

    HTTP has no such status
    acme.yaml:67:17: `wrong_token` waits for the status 99, which HTTP does not have
      fix: write a status from 100 to 599

    a row is never reached
    acme.yaml:70:17: `refused` is never reached: the row `wrong_token` before it fits everything that it fits
      fix: move it up, or narrow the other row

    a call that is not sent again is no call
    acme.yaml:60:11: `GET v1/next` is not a call
      fix: write `GET /path`, `/path` or `/path/*`

    the start is above the limit
    acme.yaml:1:5: `limits.concurrency` starts with 10 of 5
      fix: start with at least 1 and at most `max`, well below it: people's browsers share the limit
    ");
}

#[test]
fn connection_strings() {
    insta::assert_snapshot!(told(&[
        ("a key stands for no field", "apitoken: token }\nconnection", "apitoken: tokn }\nconnection"),
        ("a key has capitals", "{ url: paste,", "{ Url: paste,"),
        ("a scheme is not declared", "schemes: { apitoken: token }", "schemes: { apitoken: oauth }"),
    ]), @r"
    a key stands for no field
    acme.yaml:78:44: `apitoken` stands for `tokn`, which is no field
      fix: write `apitoken: token`

    a key has capitals
    acme.yaml:78:27: the key `Url` has capitals
      fix: write it in lower case: capitals make no difference in a connection string

    a scheme is not declared
    acme.yaml:79:40: `apitoken` stands for the auth scheme `oauth`, which is not declared
      fix: use the id of a scheme under `auth:`, or an empty text for the default one
    ");
}

#[test]
fn a_file_without_schemes_or_without_a_test() {
    let without = |block: &str, next: &str| {
        let start = ACME.find(&format!("\n{block}:")).expect(block);
        let end = ACME.find(&format!("\n{next}:")).expect(next);
        diagnose("acme.yaml", &format!("{}\n{block}: []{}", &ACME[..start], &ACME[end..]))
    };
    insta::assert_snapshot!(without("auth", "test"), @r"
    acme.yaml:1:5: there is no auth scheme
      fix: add at least one under `auth:`
    acme.yaml:37:5: the stage names the auth scheme `token`, which is not declared
      fix: use the id of a scheme under `auth:`
    acme.yaml:53:17: `wrong_token` names the auth scheme `token`, which is not declared
      fix: use the id of a scheme under `auth:`
    acme.yaml:64:44: `apitoken` stands for `token`, which is no field
      fix: name a field, a setting, `paste` or `auth_scheme`
    acme.yaml:65:40: `apitoken` stands for the auth scheme `token`, which is not declared
      fix: use the id of a scheme under `auth:`, or an empty text for the default one
    ");
    insta::assert_snapshot!(without("test", "limits"), @r"
    acme.yaml:1:5: there is no connection test
      fix: add at least one stage under `test:` that shows that the credential works
    acme.yaml:57:17: `wrong_token` names the stage `orders`, which does not exist
      fix: use the id of a stage under `test:`
    acme.yaml:63:17: `refused` names the stage `shop`, which does not exist
      fix: use the id of a stage under `test:`
    acme.yaml:63:17: `refused` names the stage `orders`, which does not exist
      fix: use the id of a stage under `test:`
    ");
}

#[test]
fn clients_of_the_vendor_are_led_to_the_drop_in_url() {
    let with = |code: &str| {
        ACME.replace(
            "id: acme\n",
            &format!("id: acme\nclients:\n  - {{ name: acme-cli, code: \"{code}\" }}\n"),
        )
    };
    insta::assert_snapshot!(diagnose("acme.yaml", &with("acme list --url {url} --region {region} {}")), @"nothing is wrong");
    insta::assert_snapshot!(diagnose("acme.yaml", &with("acme list {shop_number}")), @r"
    acme.yaml:3:5: `acme-cli` is not led to the drop-in URL
      fix: write `{url}` where the client takes its base URL
    acme.yaml:3:5: `{shop_number}` has no value
      fix: name a field of `config`, or put spaces within braces that belong to the code
    ");
}

#[test]
fn all_faults_are_named_at_once_in_the_order_of_the_file() {
    let broken = ACME
        .replace("id: acme\n", "id: Acme\n")
        .replace("default: jp", "default: eu")
        .replace("at: [orders]", "at: [order]");
    insta::assert_snapshot!(diagnose("providers/acme.yaml", &broken), @r"
    providers/acme.yaml:1:5: `Acme` is not an id
      fix: use lower-case letters, digits and `-`
    providers/acme.yaml:17:3: the default of `region`, `eu`, would be refused
      fix: change it, or the type, pattern, choices or length that refuse it
    providers/acme.yaml:67:17: `wrong_token` names the stage `order`, which does not exist
      fix: use the id of a stage under `test:`
    ");
}

/// What is told for each change: what it is, the text that stands in `acme.yaml` once, and the text in its place.
pub fn told(changes: &[(&str, &str, &str)]) -> String {
    let mut report = Vec::new();
    for (what, old, new) in changes {
        assert_eq!(ACME.matches(old).count(), 1, "{what}: `{old}` has to stand in acme.yaml exactly once");
        report.push(format!("{what}\n{}", diagnose("acme.yaml", &ACME.replacen(old, new, 1))));
    }
    report.join("\n")
}

fn diagnose(file: &str, text: &str) -> String {
    let common = Common::built_in().expect("the common table loads");
    match Provider::parse(file, text, &common) {
        Ok(_) => "nothing is wrong\n".to_owned(),
        Err(faults) => {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            format!("{}\n", lines.join("\n"))
        }
    }
}
