//! The bus against a real Redis. Each test has a server of its own.

mod asked;
mod cluster;
mod commits;
mod dead_letters;
mod flows;
mod inboxes;
mod jobs;
mod leases;
mod line;
mod live;
mod log;
mod losses;
mod measure;
mod models;
mod priorities;
mod records;
mod registry;
mod reports;
mod results;
mod stale;
mod stamps;
mod support;
mod timers;
mod tls;
mod windows;
mod workers;
