//! Who may call: keys and their scopes, sessions of browsers, tokens of streams; and where nobody is asked.

mod keys;
mod limits;
mod sessions;

use anyhow::Context;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::support::{Reply, World};

/// Makes a key; its id and its text. The first is made by anybody, and so has to be an admin's.
async fn make(world: &World, scope: &str, by: Option<&str>) -> anyhow::Result<(String, String)> {
    let request =
        world.request(Method::POST, "/api/v1/keys").json(&json!({"name": scope, "scopes": [scope]}));
    let made = Reply::of(keyed(request, by)).await?;
    anyhow::ensure!(made.status == 201, "{made:?}");
    let text = |name: &str| made.body[name].as_str().map(str::to_owned).context("a text");
    Ok((text("id")?, text("key")?))
}

fn keyed(request: RequestBuilder, key: Option<&str>) -> RequestBuilder {
    match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    }
}

async fn get(world: &World, path: &str, key: &str) -> anyhow::Result<Reply> {
    Reply::of(world.request(Method::GET, path).bearer_auth(key)).await
}
