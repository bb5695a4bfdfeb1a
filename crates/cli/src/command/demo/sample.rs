//! The connections of the demo: one for each kind of access.

use std::collections::BTreeMap;

use tombolo_api::{CreateConnection, FieldValue};

/// An account to link, and the call that shows that it works.
pub struct Sample {
    pub title: &'static str,
    pub draft: CreateConnection,
    /// A read, and the text that its answer holds.
    pub read: (&'static str, &'static str),
}

/// Names of the connections.
pub const TOKENS: &str = "Customers and orders";
pub const GATED: &str = "営業アプリ";
pub const GUEST: &str = "協力会社ゲストスペース";

/// API tokens, a password behind Basic authentication, a guest space.
pub fn samples() -> [Sample; 3] {
    [
        Sample {
            title: "three API tokens, one for each app",
            draft: draft(
                TOKENS,
                "api_token",
                &[
                    ("subdomain", "demo"),
                    ("domain", "kintone.com"),
                    ("app", "1,2,3"),
                    (
                        "token",
                        "demoTokenCustomersAll0000000000000000000,demoTokenOrdersAll0000000000000000000000,demoTokenProductsAll00000000000000000000",
                    ),
                ],
            ),
            read: ("/k/v1/records.json?app=1&query=order%20by%20%24id%20asc%20limit%201", "Alder Trading"),
        },
        Sample {
            title: "a login name and password behind Basic authentication",
            draft: draft(
                GATED,
                "password",
                &[
                    ("subdomain", "sample"),
                    ("domain", "cybozu.com"),
                    ("app", "11,12"),
                    ("login_name", "sato"),
                    ("password", "sample-password-sato"),
                    ("basic_username", "gate"),
                    ("basic_password", "sample-gate-password"),
                ],
            ),
            read: ("/k/v1/record.json?app=12&id=1", "青葉商事 備品更新"),
        },
        Sample {
            title: "an app in a guest space, by API token",
            draft: draft(
                GUEST,
                "api_token",
                &[
                    ("subdomain", "sample"),
                    ("domain", "cybozu.com"),
                    ("guest_space_id", "5"),
                    ("app", "21"),
                    ("token", "sampleTokenGuestKadai0000000000000000000"),
                    ("basic_username", "gate"),
                    ("basic_password", "sample-gate-password"),
                ],
            ),
            read: ("/k/v1/record.json?app=21&id=1", "図面の確認"),
        },
    ]
}

fn draft(name: &str, scheme: &str, fields: &[(&str, &str)]) -> CreateConnection {
    let fields: BTreeMap<String, FieldValue> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), FieldValue::from(*value))).collect();
    CreateConnection {
        provider_config_key: "kintone".to_owned(),
        name: name.to_owned(),
        auth_scheme: Some(scheme.to_owned()),
        fields,
        test: true,
        ..CreateConnection::default()
    }
}
