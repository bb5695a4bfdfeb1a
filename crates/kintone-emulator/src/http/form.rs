//! Parameters of pages and of the token endpoint: pairs of texts.

use super::Request;

/// The parameters of a query string and of a form, in the order of arrival.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The parameters of the query string.
    pub(crate) fn of_query(request: &Request) -> Self {
        Self(url::form_urlencoded::parse(request.query.as_bytes()).into_owned().collect())
    }

    /// The parameters of a body that is a form; none of any other body.
    pub(crate) fn of_body(request: &Request) -> Self {
        if request.media_type().as_deref() != Some("application/x-www-form-urlencoded") {
            return Self::default();
        }
        Self(url::form_urlencoded::parse(&request.body).into_owned().collect())
    }

    /// The parameter of this name, unless it is empty: RFC 6749 treats that as left out.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The first parameter that is there more than once.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let mut names = self.0.iter().enumerate();
        let repeated =
            names.find(|(place, (name, _))| self.0[..*place].iter().any(|(earlier, _)| earlier == name));
        repeated.map(|(_, (name, _))| name.as_str())
    }
}
