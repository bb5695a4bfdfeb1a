//! The vendor's own clients.

use super::Faults;
use crate::provider::ProviderText;

/// Checks that what stands in braces has a value, and that each client is led to the drop-in URL.
pub(super) fn check(written: &ProviderText, faults: &mut Faults<'_>) {
    for client in &written.clients {
        let (unknown, lacks_url) = client.value.faults(&written.config);
        if lacks_url {
            faults.add(
                client.referenced,
                format!("`{}` is not led to the drop-in URL", client.value.name),
                "write `{url}` where the client takes its base URL",
            );
        }
        for name in unknown {
            faults.add(
                client.referenced,
                format!("`{{{name}}}` has no value"),
                "name a field of `config`, or put spaces within braces that belong to the code",
            );
        }
    }
}
