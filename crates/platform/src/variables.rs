//! Variables of an environment: named values that the programs of embedders read through the API.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;
use tombolo_auth::CredentialsBuilder;
use tombolo_store::{Change, EnvironmentVariable, Object, PutEnvironmentVariable};
use tombolo_vault::HostSet;

use crate::access::{Access, Scope};
use crate::credentials::{Place, Purpose};
use crate::platform::{Platform, events};
use crate::problem::{Problem, field};

/// The name under which the value is sealed.
const VALUE: &str = "value";
const VALUE_BYTES_MAX: usize = 16 * 1024;

impl Platform {
    /// The variables of the caller's environment with their values, in the order of their names.
    pub async fn environment_variables(
        &self,
        access: &Access,
    ) -> Result<Vec<(String, SecretString)>, Problem> {
        access.require(Scope::ReadVariables)?;
        let mut variables = Vec::new();
        for EnvironmentVariable { name, sealed, sealed_version } in
            self.store.environment_variables(&access.environment).await?
        {
            let place = place(access, &name, sealed_version);
            let opened = self.safe.stored(&self.store, place, sealed).await?.open()?;
            variables.push((name, opened.value(VALUE).unwrap_or_default().into()));
        }
        if !variables.is_empty() {
            let read = events(access, "environment_variables.read", object("*"), Json::Null, false);
            self.commit(&read).await?;
        }
        Ok(variables)
    }

    /// Writes a variable of the caller's environment, a new one or another value.
    pub async fn put_environment_variable(
        &self,
        access: &Access,
        name: &str,
        value: &SecretString,
    ) -> Result<(), Problem> {
        access.require(Scope::WriteVariables)?;
        check(name, value)?;
        let version = self.store.environment_variable_version(&access.environment, name).await?;
        let credentials = CredentialsBuilder::new().value(VALUE, value.expose_secret()).build();
        let sealed = self.safe.seal(&self.store, place(access, name, version + 1), &credentials).await?;
        let put = PutEnvironmentVariable {
            environment_id: access.environment.clone(),
            name: name.to_owned(),
            sealed: sealed.sealed,
            expected_version: version,
        };
        let mut changes = vec![Change::PutEnvironmentVariable(put)];
        changes.extend(events(access, "environment_variable.written", object(name), Json::Null, false));
        self.commit(&changes).await.map(drop)
    }

    /// Deletes a variable of the caller's environment.
    pub async fn delete_environment_variable(&self, access: &Access, name: &str) -> Result<(), Problem> {
        access.require(Scope::WriteVariables)?;
        let mut changes =
            vec![Change::DeleteEnvironmentVariable(access.environment.clone(), name.to_owned())];
        changes.extend(events(access, "environment_variable.deleted", object(name), Json::Null, false));
        self.commit(&changes).await.map(drop)
    }
}

fn check(name: &str, value: &SecretString) -> Result<(), Problem> {
    let mut characters = name.chars();
    let begins_well = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    let goes_on_well = characters.all(|next| next.is_ascii_alphanumeric() || next == '_');
    if !begins_well || !goes_on_well || name.len() > 255 {
        let en = "A name has at most 255 letters, digits and _, and begins with no digit.";
        let ja = "名前は数字以外で始まる255文字以内の英数字と「_」にしてください。";
        return Err(Problem::fields(vec![field("name", "pattern", en, ja)]));
    }
    if value.expose_secret().len() > VALUE_BYTES_MAX {
        let en = format!("A value has at most {VALUE_BYTES_MAX} bytes.");
        let ja = format!("値は{VALUE_BYTES_MAX}バイト以内にしてください。");
        return Err(Problem::fields(vec![field("value", "too_long", &en, &ja)]));
    }
    Ok(())
}

fn place(access: &Access, name: &str, version: u64) -> Place {
    Place {
        environment: access.environment.clone(),
        purpose: Purpose::Variable,
        object: name.to_owned(),
        version,
        hosts: HostSet::default(),
    }
}

fn object(name: &str) -> Object {
    Object { kind: "environment_variable".into(), id: name.to_owned(), label: name.to_owned() }
}
