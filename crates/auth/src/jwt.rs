//! Tokens that are signed here (RFC 7515, RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tombolo_catalog::Jwt;
use zeroize::Zeroizing;

use crate::fill::{Filling, Unfilled};
use crate::key;

/// The signed token. `iat` and `exp` are set unless the claims have their own.
pub(crate) fn sign(jwt: &Jwt, filling: &Filling<'_>) -> Result<Zeroizing<String>, Unfilled> {
    let moment = filling.moment.ok_or(Unfilled::NoRequest)?;
    let key = filling.text(&jwt.key)?;
    let mut header = json!({ "alg": jwt.algorithm.name() });
    merge(&mut header, filling.json(&jwt.header)?);
    if header.get("kid").is_none()
        && let Some(id) = key::key_id(&key)
    {
        header["kid"] = json!(id);
    }
    let issued = moment.seconds() - i64::from(jwt.backdate);
    let mut claims = json!({ "iat": issued, "exp": moment.seconds() + i64::from(jwt.life) });
    merge(&mut claims, filling.json(&jwt.claims)?);
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(&header), encode(&claims));
    let signature = key::sign(jwt.algorithm, &key, jwt.key_encoding, message.as_bytes())
        .map_err(|error| Unfilled::Unfit(error.to_string()))?;
    Ok(Zeroizing::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
