//! What happens around every request: identity, logging, overload, time, addresses that name nothing, who may call at all, and who
//! changed what.

mod admit;
mod audit;
mod authenticate;
mod deadline;
mod guard;
mod observe;
mod panic;
mod readable;

pub(crate) use admit::{Admission, admit};
pub(crate) use audit::audit;
pub(crate) use authenticate::authenticate;
pub(crate) use deadline::deadline;
pub(crate) use observe::{OwnAnswer, observe};
pub(crate) use panic::on_panic;
pub(crate) use readable::readable;
