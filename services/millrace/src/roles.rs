//! What a role needs from outside, made from the settings: the bus, the record, the blobs, telemetry.

mod alone;
mod health;
mod pages;
mod purge;
mod settings;
mod supervised;

pub(crate) use self::alone::Alone;
pub(crate) use self::health::{Outside, look_for_models, serve_own_health, serve_worker_health};
pub(crate) use self::pages::huge_pages;
pub(crate) use self::settings::{blobs, bus, bus_settings, library, store};
pub(crate) use self::supervised::{NO_FILE, supervised, this_program};
