//! Client certificates, as tests have them made and revoked.

use jiff::{SignedDuration, Timestamp};

use super::{Control, ControlError};
use crate::http::ClientCertificate;

/// How long a certificate is valid when nobody says otherwise: ten years.
const LIFETIME: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

impl Control {
    /// Makes a client certificate for a user. It opens the host with `.s.` of the tenant (`demo.s.kintone.com`)
    /// until it expires by the service's clock; that is ten years from now when `None`.
    pub fn issue_client_certificate(
        &self,
        tenant: &str,
        user: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<ClientCertificate, ControlError> {
        let authority = self.world.client_authority.as_ref().ok_or(ControlError::NoClientCertificates)?;
        let user = self.change(tenant, |tenant| {
            let known = tenant.user(user).ok_or_else(|| ControlError::UnknownUser(user.to_owned()))?;
            Ok(known.code.clone())
        })?;
        let until = expires_at.unwrap_or_else(|| self.now() + LIFETIME);
        // One that has expired already was valid for a day before that.
        let from = self.now().min(until) - SignedDuration::from_hours(24);
        Ok(authority.issue(tenant, &user, (from, until))?)
    }

    /// Revokes the client certificates of a user: the handshake still takes them, the gate does not. Answers how
    /// many there were.
    pub fn revoke_client_certificates(&self, tenant: &str, user: &str) -> Result<usize, ControlError> {
        let authority = self.world.client_authority.as_ref().ok_or(ControlError::NoClientCertificates)?;
        self.change(tenant, |tenant| Ok(authority.revoke(&tenant.name, user)))
    }

    /// Says whether a user may log in with the client certificate of somebody else.
    pub fn set_certificate_of_another_user(&self, tenant: &str, allowed: bool) -> Result<(), ControlError> {
        self.change(tenant, |tenant| {
            tenant.allows_certificate_of_another_user = allowed;
            Ok(())
        })
    }
}
