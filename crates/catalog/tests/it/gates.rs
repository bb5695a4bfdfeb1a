//! Provider files that are wrong about sessions, client certificates and what cannot be combined.

use crate::broken_files::told;

#[test]
fn sessions_gates_and_combinations() {
    insta::assert_snapshot!(told(&[
        ("a session has no cookie", "type: encoded_password\n    header: X-Acme-Login", "type: session_cookie"),
        ("a password has a cookie", "header: X-Acme-Login", "header: X-Acme-Login\n    cookie: SESSION"),
        ("a cookie's name has blanks", "type: encoded_password\n    header: X-Acme-Login", "type: session_cookie\n    cookie: A B"),
        (
            "a request token goes nowhere",
            "type: encoded_password\n    header: X-Acme-Login",
            "type: session_cookie\n    cookie: SESSION\n    request_token: { field: token }",
        ),
        (
            "a request token is not asked for",
            "type: encoded_password\n    header: X-Acme-Login",
            "type: session_cookie\n    cookie: SESSION\n    request_token: { field: token, query: token }",
        ),
        (
            "a twin stands for an unknown host",
            "gates:\n",
            "gates:\n  - type: client_certificate\n    name: { en: Certificate, ja: 証明書 }\n    twins: [{ host: '{x}.acme.example', twin: '{y}.s.acme.example' }]\n",
        ),
        (
            "a certificate is kept openly",
            "gates:\n",
            "gates:\n  - type: client_certificate\n    name: { en: Certificate, ja: 証明書 }\n    fields: { certificate: { label: { en: File, ja: ファイル }, optional: true } }\n",
        ),
        ("everything is impossible", "test:\n", "impossible: [{ says: { en: No., ja: 不可 }, fix: { en: Go., ja: 可 } }]\ntest:\n"),
        (
            "a gate that is not there is impossible",
            "test:\n",
            "impossible: [{ gates: [client_certificate], says: { en: No., ja: 不可 }, fix: { en: Go., ja: 可 } }]\ntest:\n",
        ),
        ("a row is about a gate that is not there", "statuses: [401]\n", "statuses: [401]\n    through: client_certificate\n"),
    ]), @r"
    a session has no cookie
    acme.yaml:39:5: the scheme `password` does not name its cookie
      fix: add `cookie: NAME`

    a password has a cookie
    acme.yaml:39:5: the scheme `password` has keys of a session (`cookie`, `headers`, `request_token`)
      fix: remove them, or write `type: session_cookie`

    a cookie's name has blanks
    acme.yaml:39:5: `A B` is not the name of a cookie
      fix: use letters, digits, `-` and `_`

    a request token goes nowhere
    acme.yaml:39:5: the scheme `password` does not say where its request token goes, or says it twice
      fix: give `request_token` one of `query: NAME` and `header: NAME`

    a request token is not asked for
    acme.yaml:39:5: the scheme `password` does not ask for its request token
      fix: declare the field of `request_token` with `secret: true` and `optional: true`

    a twin stands for an unknown host
    acme.yaml:26:5: a twin stands for a host that is none of `hosts`
      fix: write `host:` as it stands in `hosts`
    acme.yaml:26:5: a twin has a hole that its host does not have
      fix: name the holes of `twin:` as in `host:`
    acme.yaml:26:5: some of `hosts` have a twin behind this gate, and some have none
      fix: add a line to `twins` for each pattern of `hosts`

    a certificate is kept openly
    acme.yaml:26:5: the gate lacks the field `certificate_type`
      fix: add `certificate_type:` to its fields
    acme.yaml:26:5: the gate lacks the field `certificate_password`
      fix: add `certificate_password:` to its fields
    acme.yaml:26:5: the gate lacks the field `certificate_subject`
      fix: add `certificate_subject:` to its fields
    acme.yaml:26:5: the field `certificate` is not kept as a secret file
      fix: give it `type: file` and `secret: true`, or leave `fields` out

    everything is impossible
    acme.yaml:46:14: this calls everything impossible
      fix: name a `scheme`, `gates`, a `field`, or several of them

    a gate that is not there is impossible
    acme.yaml:46:14: the gate `client_certificate` is not declared, so this is never met
      fix: remove the row, or declare the gate

    a row is about a gate that is not there
    acme.yaml:68:17: `wrong_token` names the gate `client_certificate`, which is not declared
      fix: declare it under `gates:`
    ");
}
