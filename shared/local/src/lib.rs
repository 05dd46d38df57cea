#![doc = include_str!("../README.md")]

mod coming_up;
mod error;
mod launch;
mod lock;
mod options;
mod password;
mod port;
mod postgres;
mod process;
mod program;
mod redis;
mod run_as;
mod socket;

pub use error::LocalError;
pub use lock::DirLock;
pub use options::{Durability, ServerOptions};
pub use port::free_port;
pub use postgres::{PostgresServer, template};
pub use program::{PostgresPrograms, find_program, redis_server};
pub use redis::RedisServer;
