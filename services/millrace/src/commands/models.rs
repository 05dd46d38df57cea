//! `millrace models`: the registry, and where each model is warm.

use anyhow::Context as _;
use clap::Subcommand;
use indicatif::BinaryBytes;
use reqwest::Body;
use serde_json::{Map, Value, json};
use tokio::fs::File;

use crate::client::{Client, ClientArgs};
use crate::commands::executions::items;
use crate::context::Context;
use crate::exit::{Exit, Misuse};
use crate::progress::{Bars, counted_file};
use crate::render::{Table, field};

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  millrace models list
  millrace models preload shapes-detector")]
pub(crate) enum Args {
    /// List the models, and where they are warm.
    #[command(
        after_help = "Examples:\n  millrace models list\n  millrace models list --name shapes\n  millrace models list --json"
    )]
    List {
        /// Only those whose name contains this, in whatever case.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Register a model, or replace what is registered under its name.
    #[command(after_help = "\
Examples:
  millrace models add acme/parts --task detection --checkpoint best.onnx
  millrace models add parts-v3 --task classification --checkpoint https://models.example/parts.onnx \\
      --sha256 5752bd50… --file config.json=config.json --file preprocessor_config.json=preprocessor_config.json

  millrace models add acme/depth --task tensor --checkpoint model.onnx --file model.onnx_data=model.onnx_data \\
      --image '{\"size\": [518, 518], \"mean\": [0.485, 0.456, 0.406], \"std\": [0.229, 0.224, 0.225]}'

What is not an address or blob:<sha256> is a file of this machine, and is uploaded.")]
    Add(Box<Add>),
    /// Ask the workers of a pool to load a model.
    #[command(after_help = "Examples:\n  millrace models preload shapes-detector\n  \
millrace models preload acme/parts --pool heavy --wait 60s")]
    Preload {
        /// Its name.
        model: String,
        /// The pool whose workers are asked.
        #[arg(long, default_value = "fast")]
        pool: String,
        /// How long to wait until one of them has it.
        #[arg(long, value_name = "DURATION", default_value = "30s")]
        wait: String,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Take a registered model out of the registry.
    #[command(after_help = "Examples:\n  millrace models delete acme/parts")]
    Delete {
        /// Its name.
        model: String,
        #[command(flatten)]
        client: ClientArgs,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// Its name.
    model: String,
    /// What it is made for: detection, classification, embedding, segmentation or tensor.
    #[arg(long)]
    task: String,
    /// The ONNX file: a file, an address, or `blob:<sha256>`.
    #[arg(long, value_name = "FILE|URL")]
    checkpoint: String,
    /// What the SHA-256 of the ONNX file must be.
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// Its family, where the model does not say it itself, such as ultralytics-detect.
    #[arg(long)]
    family: Option<String>,
    /// Names of its classes, in order, with commas between.
    #[arg(long, value_delimiter = ',')]
    labels: Vec<String>,
    /// A file beside it: config.json, export.json, preprocessor_config.json, processor_config.json, tokenizer.json, or one of its
    /// weights, such as model.onnx_data.
    #[arg(long = "file", value_name = "NAME=FILE|URL")]
    files: Vec<String>,
    /// How a picture becomes a tensor, of a model for the task tensor: such as {"size": [640, 480]}, with scale, mean, std,
    /// layout, channels and input.
    #[arg(long, value_name = "JSON")]
    image: Option<String>,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    match args {
        Args::List { name, client } => list(&client, name, context).await,
        Args::Add(add) => register(*add, context).await,
        Args::Preload { model, pool, wait, client } => {
            preload(&client, context, (&model, &[("pool", pool), ("wait", wait)])).await
        }
        Args::Delete { model, client } => {
            Client::find(&client)?.delete(&path(&model)).await?;
            if client.json {
                context.out.json(&json!({"deleted": model}))?;
            } else {
                context.out.line(format_args!("{model} is no longer registered"))?;
            }
            Ok(Exit::Done)
        }
    }
}

/// Where a model is below `/api/v1`.
fn path(model: &str) -> String {
    format!("/models/{}", model.replace('/', "%2F"))
}

async fn list(client: &ClientArgs, name: Option<String>, context: &Context) -> anyhow::Result<Exit> {
    let models = all(&Client::find(client)?, name).await?;
    if client.json {
        context.out.json(&json!({"models": models}))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["model", "source", "task", "family", "input", "size", "warm on", "loading"]);
    for model in models {
        let names =
            ["model_id", "source", "task", "family", "input_size", "file_bytes", "workers", "loading"];
        table.row(names.map(|name| cell(&model, name)).to_vec());
    }
    if table.is_empty() {
        context.out.line("no models")?
    } else {
        context.out.line(table)?
    }
    Ok(Exit::Done)
}

/// The models of all pages.
async fn all(api: &Client, name: Option<String>) -> anyhow::Result<Vec<Value>> {
    let (mut models, mut next) = (Vec::new(), None);
    loop {
        let mut query: Vec<(&str, String)> = name.iter().map(|name| ("name", name.clone())).collect();
        query.extend(next.map(|cursor| ("cursor", cursor)));
        let page = api.get("/models", &query).await?;
        models.extend(items(&page));
        next = page["next_cursor"].as_str().map(str::to_owned);
        if next.is_none() {
            return Ok(models);
        }
    }
}

/// A field of a model, sizes as people write them.
fn cell(model: &Value, name: &str) -> String {
    match (name, &model[name]) {
        ("input_size", Value::Array(sides)) if sides.len() == 2 => format!("{}×{}", sides[0], sides[1]),
        ("file_bytes", Value::Number(bytes)) => {
            bytes.as_u64().map_or_else(String::new, |bytes| BinaryBytes(bytes).to_string())
        }
        _ => field(model, name),
    }
}

async fn register(add: Add, context: &Context) -> anyhow::Result<Exit> {
    let (client, bars) = (Client::find(&add.client)?, Bars::new(add.client.json));
    let image = picture(add.image.as_deref())?;
    let mut files = Map::new();
    for file in &add.files {
        let (name, place) = file
            .split_once('=')
            .ok_or_else(|| Misuse(format!("--file {file}: write such as config.json=./config.json")))?;
        files.insert(name.to_owned(), json!(origin(&client, place, bars).await?));
    }
    let mut body = json!({
        "id": add.model,
        "task": add.task,
        "checkpoint": origin(&client, &add.checkpoint, bars).await?,
        "sha256": add.sha256,
        "family": add.family,
        "files": files,
        "image": image,
    });
    if !add.labels.is_empty() {
        body["labels"] = json!(add.labels);
    }
    let page = client.post_json("/models", &body).await?;
    if add.client.json {
        context.out.json(&page)?;
    } else {
        let line = format_args!("{} is registered; use it with \"model_source\": \"trained\"", add.model);
        context.out.line(line)?;
    }
    Ok(Exit::Done)
}

/// The address of a file; one of this machine is uploaded, piece by piece: it may be larger than the memory.
async fn origin(client: &Client, place: &str, bars: Bars) -> anyhow::Result<String> {
    if ["http://", "https://", "blob:"].iter().any(|scheme| place.starts_with(scheme)) {
        return Ok(place.to_owned());
    }
    let unread = || format!("cannot read {place}");
    let file = File::open(place).await.with_context(unread)?;
    let found = file.metadata().await.with_context(unread)?;
    if found.is_dir() {
        return Err(Misuse(format!("{place} is a folder; name a file in it")).into());
    }
    // Of a pipe nobody knows.
    let bytes = found.is_file().then_some(found.len());
    let bar = bars.bytes(place, bytes.unwrap_or_default());
    let body = Body::wrap_stream(counted_file(file, bar));
    let stored = client.post_file("/blobs", &[("for", "model")], (body, bytes)).await;
    let stored = stored.with_context(|| format!("{place} was not uploaded"))?;
    let id = stored["blob"].as_str().context("the api did not say where the file is")?;
    Ok(format!("blob:{id}"))
}

/// How a picture becomes a tensor, as it was written.
fn picture(text: Option<&str>) -> anyhow::Result<Value> {
    let Some(text) = text else { return Ok(Value::Null) };
    let wrong =
        |error| Misuse(format!("--image {text}: write JSON such as {{\"size\": [640, 480]}} ({error})"));
    Ok(serde_json::from_str(text).map_err(wrong)?)
}

async fn preload(
    client: &ClientArgs,
    context: &Context,
    (model, query): (&str, &[(&str, String)]),
) -> anyhow::Result<Exit> {
    let api = Client::find(client)?;
    // Workers download it first, where it is registered by its address.
    let bar = Bars::new(client.json).waiting(&format!("{model} is being loaded"));
    let told = api.post_query(&format!("{}/preload", path(model)), query).await?;
    bar.finish_and_clear();
    let warm = told["workers"].as_array().is_some_and(|workers| !workers.is_empty());
    if client.json {
        context.out.json(&told)?;
    } else if warm {
        context.out.line(format_args!("{model} is warm on {}", field(&told, "workers")))?;
    } else {
        let line = format_args!("{model} is not warm yet; its workers are still at it, or have not begun");
        context.out.line(line)?;
    }
    Ok(if warm { Exit::Done } else { Exit::Failed })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use axum::extract::Query;
    use axum::routing::get;
    use axum::{Json, Router};

    use super::*;

    #[tokio::test]
    async fn the_models_of_all_pages_are_listed() {
        let pages = async |Query(query): Query<HashMap<String, String>>| {
            assert_eq!(query["name"], "part");
            Json(match query.get("cursor").map(String::as_str) {
                None => json!({"models": ["a", "b"], "next_cursor": "after b"}),
                Some("after b") => json!({"models": ["c"], "next_cursor": null}),
                Some(_) => json!({"models": []}),
            })
        };
        // As the program does at its start; another test may have done it before.
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Some(format!("http://{}", listener.local_addr().unwrap()));
        let api = Client::find(&ClientArgs { url, api_key: None, json: true }).unwrap();
        let serving = axum::serve(listener, Router::new().route("/api/v1/models", get(pages))).into_future();
        let listed = tokio::select! {
            served = serving => panic!("{served:?}"),
            listed = all(&api, Some("part".to_owned())) => listed.unwrap(),
        };
        assert_eq!(listed, ["a", "b", "c"]);
    }

    #[test]
    fn sizes_are_written_as_people_write_them() {
        let model = json!({"model_id": "a", "input_size": [640, 384], "file_bytes": 5_242_880, "workers": ["w1", "w2"]});
        let names = ["model_id", "input_size", "file_bytes", "workers", "family"];
        assert_eq!(names.map(|name| cell(&model, name)), ["a", "640×384", "5.00 MiB", "w1,w2", ""]);
    }

    #[test]
    fn names_with_folders_stay_one_part_of_a_path() {
        assert_eq!(path("acme/parts"), "/models/acme%2Fparts");
        assert_eq!(path("shapes-detector"), "/models/shapes-detector");
    }
}
