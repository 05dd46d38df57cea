//! Uploads that go to a bucket.

use futures::{StreamExt, stream};
use millrace_api::{Deps, run};
use millrace_blobs::{Blobs, BlobsSettings};
use millrace_testkit::{TestBucket, eventually};
use reqwest::Body;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, World};

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_in_the_bucket() -> anyhow::Result<()> {
    let (world, bucket) = (World::start().await?, TestBucket::start()?);
    let settings = BlobsSettings { objects: bucket.objects(), ..BlobsSettings::new(bucket.url("blobs")) };
    let blobs = Blobs::open(&settings)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}/api/v1/blobs", listener.local_addr()?);
    let stop = CancellationToken::new();
    let other = tokio::spawn(run(Deps { blobs, ..world.deps() }, listener, stop.clone()));

    // Of HTTP/2: who gives up one request there has it dropped at once.
    let client = reqwest::Client::builder().http2_prior_knowledge().build()?;
    let piece = Ok::<_, std::io::Error>(vec![7; 12 << 20]);
    let body = Body::wrap_stream(stream::iter([piece]).chain(stream::pending()));
    let mut sending = Box::pin(client.post(address).body(body).send());
    let seen = |wanted: fn(usize) -> bool| {
        let bucket = &bucket;
        async move || Ok::<_, std::io::Error>(wanted(bucket.unfinished(".upload")).then_some(()))
    };
    // What is noted of the upload, and two parts.
    tokio::select! {
        answer = &mut sending => anyhow::bail!("it was answered: {answer:?}"),
        grown = eventually(DEADLINE, "an upload that grows", seen(|files| files >= 3)) => grown?,
    }
    drop(sending);
    eventually(DEADLINE, "nothing of it", seen(|files| files == 0)).await?;
    stop.cancel();
    other.await??;
    world.stop().await
}
