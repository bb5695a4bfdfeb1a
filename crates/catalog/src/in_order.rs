//! A map of a file whose order is kept, because people see it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use crate::diagnostic::Place;

/// Values by name, in the order of the file, each with the place where the file names it.
#[derive(Debug, Clone)]
pub(crate) struct InOrder<T>(Vec<Named<T>>);

#[derive(Debug, Clone)]
struct Named<T> {
    name: String,
    place: Place,
    value: T,
}

impl<T> InOrder<T> {
    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|named| (named.name.as_str(), &named.value))
    }

    /// Names and values, with the places of the names.
    pub(crate) fn with_places(&self) -> impl Iterator<Item = (&str, Place, &T)> {
        self.0.iter().map(|named| (named.name.as_str(), named.place, &named.value))
    }

    /// Whether nothing is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes away every name that is not to be kept.
    pub(crate) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|named| keep(&named.name));
    }

    /// Puts another map behind this one. A name of both then stands there twice.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for InOrder<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = InOrder<T>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InOrder<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some((name, value)) = map.next_entry::<Spanned<String>, T>()? {
                    entries.push(Named { name: name.value, place: name.referenced.into(), value });
                }
                Ok(InOrder(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}
