//! Who may call a route, as a part of its signature.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;
use tombolo_platform::{Access, Problem};

use super::Routes;
use super::access::{Peer, RequestId};
use super::refusal::Refusal;
use super::right::Right;
use crate::front::bearer;

/// An authenticated caller that has the scope of `R`. A route without one is public.
pub(crate) struct Caller<R> {
    /// The environment it acts in, and as whom.
    pub(crate) access: Access,
    right: PhantomData<fn() -> R>,
}

impl<R: Right> FromRequestParts<Routes> for Caller<R> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, routes: &Routes) -> Result<Self, Refusal> {
        let peer = parts.extensions.get::<Peer>();
        let peer = peer.ok_or_else(|| Problem::unauthenticated("Nobody knows who is asking"))?;
        let access = peer.access(&routes.platform, bearer(&parts.headers), &parts.headers).await?;
        access.require_any(R::SCOPES)?;
        Ok(Self { access, right: PhantomData })
    }
}

impl FromRequestParts<Routes> for RequestId {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Routes) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self("".into())))
    }
}
