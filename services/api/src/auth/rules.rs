//! What each operation asks for, read from the OpenAPI document.

use std::collections::HashMap;

use axum::http::Method;
use utoipa::openapi::OpenApi;

use super::Scope;
use crate::openapi::{API_KEY, operations};

/// What an operation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The scope of its callers; none where anybody may call.
    pub(crate) scope: Option<Scope>,
    /// What the change is called, if it is one of which it is noted who made it: of the system, and not what the system is for.
    pub(crate) change: Option<String>,
}

/// The rules by address and method.
#[derive(Debug)]
pub(crate) struct Rules(HashMap<String, Vec<(Method, Rule)>>);

impl Rules {
    /// The rules of a complete document.
    pub(crate) fn of(mut description: OpenApi) -> Self {
        let paths = description.paths.paths.iter_mut().map(|(path, item)| {
            let rules = operations(item).map(|(method, operation)| {
                let named = operation.security.iter().flatten().find_map(|one| {
                    let json = serde_json::to_value(one).ok()?;
                    Scope::parse(json.get(API_KEY)?.get(0)?.as_str()?)
                });
                let work = ["executions", "inference", "blobs"];
                let is_work = operation.tags.iter().flatten().any(|tag| work.contains(&tag.as_str()));
                // What asks for `read` only changes nothing, by whatever method: a search has a body.
                let is_look = method == Method::GET || named == Some(Scope::Read);
                let changes = !(is_look || (is_work && method == Method::POST));
                let change = operation.operation_id.clone().filter(|_| changes);
                (method, Rule { scope: named, change })
            });
            (path.clone(), rules.collect())
        });
        Self(paths.collect())
    }

    /// The rule of the operation behind an address as it is routed; none for what is no operation, such as a page.
    pub(crate) fn find(&self, path: &str, method: &Method) -> Option<&Rule> {
        // Axum answers HEAD by GET.
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.0.get(path)?.iter().find(|(of, _)| of == method).map(|(_, rule)| rule)
    }
}
