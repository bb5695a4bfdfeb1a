#![doc = include_str!("../README.md")]

mod binding;
mod data_key;
mod envelope;
mod key_check;
mod key_id;
mod master_key;
mod random;
mod sealed;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use binding::{Binding, BoundHost, HostRole, HostSet, InvalidHost};
pub use data_key::{DataKey, UnwrapError, WrappedDataKey};
pub use envelope::{EnvelopeError, SealError};
pub use key_check::{KeyCheck, KeyCheckError};
pub use key_id::KeyId;
pub use master_key::{KeyRing, MasterKey, MasterKeyError};
pub use random::{Random, RandomnessUnavailable, SystemRandom};
pub use sealed::{OpenError, Sealed};
