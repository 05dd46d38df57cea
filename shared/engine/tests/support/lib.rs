//! What the tests share: a run with its stored records, its log and its world; what must hold after every step; and a
//! generator of workflows.

pub(crate) mod blobs;
pub(crate) mod check;
pub(crate) mod dice;
pub(crate) mod driver;
pub(crate) mod flow;
pub(crate) mod generate;
pub(crate) mod work;
