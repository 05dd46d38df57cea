//! Who calls. A key is 256 random bits, kept as a hash; its scopes are compared with what the operation asks for in the OpenAPI
//! document, so that what is described is what is enforced. Without keys the api is open, and serves its own machine only.

mod access;
mod credential;
mod pace;
mod rules;
mod scope;
mod token;
mod visitor;

pub(crate) use access::{Access, Caller};
pub(crate) use credential::{COOKIE, Credential};
pub(crate) use rules::{Rule, Rules};
pub(crate) use scope::Scope;
pub(crate) use token::{Purpose, Signer};
pub(crate) use visitor::Visitor;
