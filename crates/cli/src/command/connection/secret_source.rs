//! Where secrets come from. Never from an argument: those show in the process list and in the history of the shell.

use std::io::Read as _;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inquire::{Password, PasswordDisplayMode};

use crate::command::arguments::{may_ask, unasked};
use crate::failure::Failure;

/// Longest text that is read: a certificate chain is far below.
const LENGTH_MAX: u64 = 1024 * 1024;

/// A place that holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// What stdin holds up to its end.
    Stdin,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl SecretSource {
    /// The secret, without the line break that ends it.
    pub fn read(&self) -> anyhow::Result<String> {
        let bytes = self.bytes()?;
        let text = String::from_utf8(bytes).map_err(|_| {
            let what = format!("{} holds no text", self.name());
            Failure::usage(what, "Only the field of a file takes anything but text.")
        })?;
        self.not_empty(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// What a file holds, for the field of a file: its text, or the base64 form of what is none.
    pub fn read_file(&self) -> anyhow::Result<String> {
        let text = String::from_utf8(self.bytes()?).unwrap_or_else(|other| STANDARD.encode(other.as_bytes()));
        self.not_empty(text)
    }

    fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Self::Stdin => {
                std::io::stdin()
                    .lock()
                    .take(LENGTH_MAX)
                    .read_to_end(&mut bytes)
                    .context("cannot read stdin")?;
            }
            Self::File(path) => {
                let file = std::fs::File::open(path);
                file.and_then(|file| file.take(LENGTH_MAX).read_to_end(&mut bytes))
                    .with_context(|| format!("cannot read {}", path.display()))?;
            }
            Self::Variable(name) => {
                let text = std::env::var(name).map_err(|_| {
                    let what = format!("the environment has no variable {name}");
                    Failure::usage(what, "Set it, and mind its spelling.")
                })?;
                bytes = text.into_bytes();
            }
        }
        Ok(bytes)
    }

    fn not_empty(&self, secret: String) -> anyhow::Result<String> {
        if secret.trim().is_empty() {
            let what = format!("{} holds nothing", self.name());
            return Err(Failure::usage(what, "Put the secret there.").into());
        }
        Ok(secret)
    }

    /// Refuses to take two things from stdin: it can be read once.
    pub fn refuse_stdin_twice<'a>(sources: impl Iterator<Item = &'a Self>) -> anyhow::Result<()> {
        if sources.filter(|source| **source == Self::Stdin).count() > 1 {
            let fix = "Take one from stdin, and the others from file:PATH or env:NAME.";
            return Err(Failure::usage("stdin can be read once only", fix).into());
        }
        Ok(())
    }

    fn name(&self) -> String {
        match self {
            Self::Stdin => "stdin".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Variable(name) => format!("the variable {name}"),
        }
    }
}

impl FromStr for SecretSource {
    type Err = String;

    /// Reads `stdin`, `-`, `file:PATH` and `env:NAME`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Variable(name.to_owned())),
            _ if text == "stdin" || text == "-" => Ok(Self::Stdin),
            _ => Err("write stdin, file:PATH or env:NAME; a secret itself is no argument".to_owned()),
        }
    }
}

/// A secret from where it is said to be, or asked for on a terminal. `option` is the one to give otherwise.
pub fn secret_or_ask(source: Option<&SecretSource>, question: &str, option: &str) -> anyhow::Result<String> {
    if let Some(source) = source {
        return source.read();
    }
    if !may_ask() {
        let fix = format!("Say where it is: {option} stdin, {option} file:PATH or {option} env:NAME.");
        return Err(Failure::usage(format!("one more thing is needed: {question}"), fix).into());
    }
    let typed = Password::new(question)
        .without_confirmation()
        .with_display_mode(PasswordDisplayMode::Masked)
        .prompt()
        .map_err(unasked)?;
    Ok(typed.trim().to_owned())
}

/// `field=SOURCE`
pub fn field_from(text: &str) -> Result<(String, SecretSource), String> {
    let (field, source) = crate::command::arguments::key_value(text)?;
    Ok((field, source.parse()?))
}

/// A connection string's place: a file's name needs no prefix here.
pub fn string_from(text: &str) -> Result<SecretSource, String> {
    // Somebody who gives the string itself must not have it taken for the name of a file.
    if text.contains('=') && !text.starts_with("file:") {
        return Err(
            "write -, a file or env:NAME; a connection string holds secrets and is no argument".to_owned()
        );
    }
    Ok(text.parse().unwrap_or_else(|_| SecretSource::File(text.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_secrets_are_not() {
        for (text, expected) in [
            ("token=stdin", SecretSource::Stdin),
            ("token=-", SecretSource::Stdin),
            ("token=file:/run/secrets/a=b", SecretSource::File("/run/secrets/a=b".into())),
            ("token=env:TOKEN", SecretSource::Variable("TOKEN".to_owned())),
        ] {
            assert_eq!(field_from(text), Ok(("token".to_owned(), expected)), "{text}");
        }
        for text in ["token=MARKER", "MARKER", "token=env:", "token=MARKER:x"] {
            assert!(!field_from(text).expect_err(text).contains("MARKER"), "{text}");
        }
        assert_eq!(string_from("connection.txt"), Ok(SecretSource::File("connection.txt".into())));
        assert!(string_from("APIToken=MARKER;Url=x").is_err());
    }
}
