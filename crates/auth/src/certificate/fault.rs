//! What is wrong with a certificate file, and what to do.

use tombolo_catalog::{FieldError, Text};

/// Where a certificate lives that is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedStore {
    /// The certificate store of Windows.
    Windows,
    /// The keychain of macOS.
    Keychain,
    /// The certificate database of Firefox and other programs.
    Nss,
    /// A smart card or another device that never gives its key away.
    Token,
}

/// Why a certificate cannot be used. Never holds anything of the key or the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message().en)]
pub enum CertificateFault {
    /// Nothing was given.
    Nothing,
    /// It is inside of an operating system or a device.
    NamedStore(NamedStore),
    /// It is none of the known kinds of files.
    UnknownFormat,
    /// It is of another kind than was said.
    OtherKind {
        /// What was said.
        said: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// It begins like a known kind and is cut off or garbled.
    Malformed {
        /// The kind.
        found: &'static str,
    },
    /// The file has a password, and none was given.
    PasswordNeeded,
    /// The password does not open the file.
    WrongPassword,
    /// The keystore opens, but its key has a password of its own.
    KeyHasOwnPassword,
    /// A PEM key with the encryption that was usual before PKCS#8.
    TraditionalPem,
    /// A PEM key with an encryption that is not read.
    UnsupportedPem,
    /// A PFX file with an encryption that is not read, such as RC2 with 128 bits or RC4.
    UnsupportedPfx,
    /// A keystore of the format JCEKS.
    Jceks,
    /// A key of OpenSSH.
    Ssh,
    /// Opening it would take unreasonably long.
    TooCostly,
    /// There is a certificate without a key.
    NoKey,
    /// There is a key without a certificate.
    NoCertificate,
    /// No certificate belongs to the key.
    KeyOfAnother,
    /// The key is of a kind that TLS does not use.
    UnsupportedKey,
    /// The certificate is of a version that TLS does not use.
    UnsupportedCertificate,
    /// There are several, and none was chosen.
    SeveralKeys {
        /// Which there are.
        subjects: Vec<String>,
    },
    /// The chosen one is not there.
    UnknownSubject {
        /// Which there are.
        subjects: Vec<String>,
    },
    /// It is no longer valid.
    Expired {
        /// Whom it stands for.
        subject: String,
        /// When it ended, in seconds since 1970.
        not_after: i64,
    },
    /// It is not valid yet.
    NotYetValid {
        /// Whom it stands for.
        subject: String,
        /// When it begins, in seconds since 1970.
        not_before: i64,
    },
}

impl CertificateFault {
    /// The fault at the field that has to change.
    pub fn into_field_error(self) -> FieldError {
        FieldError { field: self.field().to_owned(), code: self.code(), message: self.message() }
    }

    const fn field(&self) -> &'static str {
        match self {
            Self::NamedStore(_) | Self::OtherKind { .. } => "certificate_type",
            Self::PasswordNeeded | Self::WrongPassword | Self::KeyHasOwnPassword => "certificate_password",
            Self::SeveralKeys { .. } | Self::UnknownSubject { .. } => "certificate_subject",
            _ => "certificate",
        }
    }

    /// A stable code.
    const fn code(&self) -> &'static str {
        match self {
            Self::Nothing => "required",
            Self::NamedStore(_) => "certificate_in_store",
            Self::UnknownFormat => "certificate_format_unknown",
            Self::OtherKind { .. } => "certificate_of_another_type",
            Self::Malformed { .. } => "certificate_malformed",
            Self::PasswordNeeded => "certificate_password_needed",
            Self::WrongPassword => "certificate_password_wrong",
            Self::KeyHasOwnPassword => "certificate_key_password",
            Self::TraditionalPem | Self::UnsupportedPem | Self::UnsupportedPfx => "certificate_encryption",
            Self::Jceks | Self::Ssh => "certificate_format_unsupported",
            Self::TooCostly => "certificate_too_costly",
            Self::NoKey => "certificate_without_key",
            Self::NoCertificate => "key_without_certificate",
            Self::KeyOfAnother => "certificate_of_another_key",
            Self::UnsupportedKey => "certificate_key_unsupported",
            Self::UnsupportedCertificate => "certificate_unsupported",
            Self::SeveralKeys { .. } => "certificate_subject_needed",
            Self::UnknownSubject { .. } => "certificate_subject_unknown",
            Self::Expired { .. } => "certificate_expired",
            Self::NotYetValid { .. } => "certificate_not_yet_valid",
        }
    }

    /// What is wrong and what to do, in both languages.
    fn message(&self) -> Text {
        let (en, ja) = match self {
            Self::NamedStore(store) => return store.message(),
            Self::OtherKind { said, found } => (
                format!("This is a {found} file, not {said}: choose the type `auto`."),
                format!("このファイルは{said}ではなく{found}です。種類は「auto」を選んでください。"),
            ),
            Self::Malformed { found } => (
                format!("This {found} file is cut off or damaged: take it over once more, whole."),
                format!(
                    "{found}ファイルが途中で切れているか、壊れています。ファイル全体を指定し直してください。"
                ),
            ),
            Self::SeveralKeys { subjects } => (
                format!("The file holds several keys. Choose a subject: {}.", listed(subjects, "; ")),
                format!(
                    "ファイルに複数の鍵が入っています。次のいずれかを選んでください: {}",
                    listed(subjects, "、")
                ),
            ),
            Self::UnknownSubject { subjects } => (
                format!("The file holds no key of that subject. It holds: {}.", listed(subjects, "; ")),
                format!(
                    "そのサブジェクトの鍵はファイルにありません。ファイルにあるもの: {}",
                    listed(subjects, "、")
                ),
            ),
            Self::Expired { subject, not_after } => (
                format!(
                    "The certificate of {subject} expired on {}. Get a new one, and give it here.",
                    day(*not_after)
                ),
                format!(
                    "{subject} の証明書は{}に有効期限が切れています。新しい証明書を取得して指定してください。",
                    day(*not_after)
                ),
            ),
            Self::NotYetValid { subject, not_before } => (
                format!(
                    "The certificate of {subject} is valid from {} only. Wait until then, or check the clock of this server.",
                    day(*not_before)
                ),
                format!(
                    "{subject} の証明書は{}から有効です。それまで待つか、このサーバーの時計を確認してください。",
                    day(*not_before)
                ),
            ),
            other => {
                let (en, ja) = other.fixed_message();
                (en.to_owned(), ja.to_owned())
            }
        };
        Text { en, ja }
    }

    /// The texts that hold nothing of the file.
    const fn fixed_message(&self) -> (&'static str, &'static str) {
        match self {
            Self::UnknownFormat => (
                "This is no certificate file that we know. Give a PEM text, or a PFX or JKS file in base64.",
                "証明書のファイルとして読み取れません。PEMのテキスト、またはPFX・JKSファイルをBase64で指定してください。",
            ),
            Self::PasswordNeeded => (
                "The file is protected with a password: fill it in.",
                "ファイルはパスワードで保護されています。パスワードを入力してください。",
            ),
            Self::WrongPassword => (
                "This password does not open the file. It is the one that was set when the file was made.",
                "ファイルのパスワードが正しくありません。ファイルの作成時に設定したパスワードを入力してください。",
            ),
            Self::KeyHasOwnPassword => (
                "The keystore opens, but its key has another password. Make them equal: keytool -keypasswd -keystore FILE -alias ALIAS",
                "キーストアは開けますが、鍵に別のパスワードが設定されています。次のコマンドで同じパスワードにしてください: keytool -keypasswd -keystore FILE -alias ALIAS",
            ),
            Self::TraditionalPem => (
                "The key is encrypted in the old way of OpenSSL (DEK-Info). Convert it: openssl pkcs8 -topk8 -in OLD.pem -out NEW.pem",
                "鍵がOpenSSLの古い形式（DEK-Info）で暗号化されています。次のコマンドで変換してください: openssl pkcs8 -topk8 -in OLD.pem -out NEW.pem",
            ),
            Self::UnsupportedPem => (
                "The key is encrypted in a way that we do not read. Convert it: openssl pkcs8 -in OLD.pem | openssl pkcs8 -topk8 -v2 aes256 -out NEW.pem",
                "鍵の暗号化方式に対応していません。次のコマンドで変換してください: openssl pkcs8 -in OLD.pem | openssl pkcs8 -topk8 -v2 aes256 -out NEW.pem",
            ),
            Self::UnsupportedPfx => (
                "The file is encrypted in a way that is no longer safe (such as RC2 with 128 bits, or RC4). Convert it: openssl pkcs12 -legacy -in OLD.pfx -nodes | openssl pkcs12 -export -out NEW.pfx",
                "ファイルの暗号化方式（128ビットのRC2やRC4など）は安全でないため対応していません。次のコマンドで変換してください: openssl pkcs12 -legacy -in OLD.pfx -nodes | openssl pkcs12 -export -out NEW.pfx",
            ),
            Self::Jceks => (
                "Keystores of the format JCEKS are not read. Convert it: keytool -importkeystore -srckeystore OLD -srcstoretype JCEKS -destkeystore NEW.p12 -deststoretype PKCS12",
                "JCEKS形式のキーストアには対応していません。次のコマンドで変換してください: keytool -importkeystore -srckeystore OLD -srcstoretype JCEKS -destkeystore NEW.p12 -deststoretype PKCS12",
            ),
            Self::Ssh => (
                "This is a key of OpenSSH, which is no client certificate.",
                "これはOpenSSHの鍵で、クライアント証明書ではありません。",
            ),
            Self::TooCostly => (
                "The file asks for unreasonably many steps to check its password. Convert it: openssl pkcs12 -in OLD.pfx -nodes | openssl pkcs12 -export -out NEW.pfx",
                "パスワードの確認に必要な計算量が大きすぎます。次のコマンドで変換してください: openssl pkcs12 -in OLD.pfx -nodes | openssl pkcs12 -export -out NEW.pfx",
            ),
            Self::NoKey => (
                "The file holds a certificate, but no private key. Give the file with both, mostly .pfx or .p12.",
                "ファイルに証明書はありますが、秘密鍵がありません。両方が入ったファイル（通常は .pfx または .p12）を指定してください。",
            ),
            Self::NoCertificate => (
                "The file holds a private key, but no certificate. Put both into one file.",
                "ファイルに秘密鍵はありますが、証明書がありません。両方を1つのファイルに入れてください。",
            ),
            Self::KeyOfAnother => (
                "The private key belongs to none of the certificates in the file. Give key and certificate that were made together.",
                "秘密鍵がファイル内のどの証明書とも対応していません。対になる鍵と証明書を指定してください。",
            ),
            Self::UnsupportedKey => (
                "The private key is damaged, or of a kind that TLS does not use. RSA, ECDSA and Ed25519 are.",
                "秘密鍵が壊れているか、TLSで使えない種類です。RSA、ECDSA、Ed25519に対応しています。",
            ),
            Self::UnsupportedCertificate => (
                "The certificate is damaged, or of an old version (X.509 v1 or v2). Ask for one of version 3.",
                "証明書が壊れているか、古いバージョン（X.509 v1またはv2）です。バージョン3の証明書の発行を依頼してください。",
            ),
            _ => (
                "The file of the client certificate is needed.",
                "クライアント証明書のファイルを指定してください。",
            ),
        }
    }
}

impl NamedStore {
    fn message(self) -> Text {
        let (en, ja) = match self {
            Self::Windows => (
                "This server does not look into the certificate store of Windows. Export the certificate there with its key, in PowerShell: Export-PfxCertificate -Cert Cert:\\CurrentUser\\My\\THUMBPRINT -FilePath FILE.pfx -Password (Read-Host -AsSecureString)",
                "このサーバーからWindowsの証明書ストアは参照できません。PowerShellで鍵とともにエクスポートしてください: Export-PfxCertificate -Cert Cert:\\CurrentUser\\My\\THUMBPRINT -FilePath FILE.pfx -Password (Read-Host -AsSecureString)",
            ),
            Self::Keychain => (
                "This server does not look into the keychain of macOS. Export the certificate there with its key: security export -t identities -f pkcs12 -o FILE.p12",
                "このサーバーからmacOSのキーチェーンは参照できません。鍵とともに書き出してください: security export -t identities -f pkcs12 -o FILE.p12",
            ),
            Self::Nss => (
                "This server does not look into the certificate database of a browser. Export the certificate there with its key: pk12util -o FILE.p12 -n NAME -d sql:PROFILE",
                "このサーバーからブラウザーの証明書データベースは参照できません。鍵とともに書き出してください: pk12util -o FILE.p12 -n NAME -d sql:PROFILE",
            ),
            Self::Token => (
                "The key of a smart card cannot leave it, so this server cannot use it. Ask for a certificate in a file.",
                "スマートカードの鍵は取り出せないため、使用できません。ファイル形式の証明書の発行を依頼してください。",
            ),
        };
        Text { en: en.to_owned(), ja: ja.to_owned() }
    }
}

/// At most ten, so that a file with many keys fills no page.
fn listed(subjects: &[String], separator: &str) -> String {
    let mut shown: Vec<&str> = subjects.iter().take(10).map(String::as_str).collect();
    if subjects.len() > shown.len() {
        shown.push("…");
    }
    shown.join(separator)
}

fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}
