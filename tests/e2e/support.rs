//! What every test needs: a stack of its own and a client for it.

pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod scenes;
pub(crate) mod stack;

pub(crate) use client::Client;
pub(crate) use stack::Stack;
