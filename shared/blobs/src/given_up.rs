//! Uploads to a bucket that end before they are whole, as when a client goes away. What has come of one is no object, and would
//! stay in the bucket where nobody sees it. Rule: who gives one up waits for nothing; one task of the process ends them.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload, PutResult, UploadPart};
use tokio::sync::{Mutex, mpsc};

use crate::Blobs;

/// Uploads that wait to be ended. Those beyond are left to a rule of the bucket.
const MOST_WAITING: usize = 256;
/// For so long they are ended after the process was told to end.
const LAST: Duration = Duration::from_secs(5);

/// The uploads that were given up. Cheap to clone; clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct GivenUp {
    sender: mpsc::Sender<Rest>,
    receiver: Arc<Mutex<mpsc::Receiver<Rest>>>,
}

/// What was begun of an upload.
#[derive(Debug)]
struct Rest {
    upload: Box<dyn MultipartUpload>,
    path: Path,
    /// Closed once none of its parts is on its way.
    parts: mpsc::Receiver<Infallible>,
}

/// An upload that is given up where it is dropped before it was completed or aborted.
#[derive(Debug)]
struct Watched {
    /// None once it has ended.
    rest: Option<Rest>,
    /// Each part on its way has one of these.
    part: mpsc::Sender<Infallible>,
    given_up: mpsc::Sender<Rest>,
}

impl GivenUp {
    /// None yet.
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        Self { sender, receiver: Arc::new(Mutex::new(receiver)) }
    }

    /// `upload`, which grows at `path`, to be ended when it is given up.
    pub(crate) fn watch(&self, upload: Box<dyn MultipartUpload>, path: &Path) -> Box<dyn MultipartUpload> {
        let (part, parts) = mpsc::channel(1);
        let rest = Some(Rest { upload, path: path.clone(), parts });
        Box::new(Watched { rest, part, given_up: self.sender.clone() })
    }
}

impl Blobs {
    /// Ends the uploads to a bucket that were given up, until `stop` and, for a few seconds at most, those that wait by then. Meant
    /// for one task of each process that takes uploads; a folder's end by themselves.
    pub async fn end_given_up(&self, stop: impl Future<Output = ()>) {
        let stop = stop.shared();
        let mut waiting = tokio::select! {
            biased;
            waiting = self.given_up.receiver.lock() => waiting,
            // Another task does it.
            () = stop.clone() => return,
        };
        let work = async {
            loop {
                let rest = tokio::select! {
                    biased;
                    rest = waiting.recv() => rest,
                    () = stop.clone() => None,
                };
                match rest {
                    Some(rest) => rest.end().await,
                    None => return,
                }
            }
        };
        let late = async {
            stop.clone().await;
            tokio::time::sleep(LAST).await;
        };
        tokio::select! {
            () = work => {}
            () = late => tracing::warn!("uploads that were given up stay behind in the bucket"),
        }
    }
}

impl Rest {
    async fn end(mut self) {
        // A part that came after its upload had ended would stay.
        while self.parts.recv().await.is_some() {}
        match self.upload.abort().await {
            Ok(()) => tracing::debug!(blob.upload = %self.path, "an upload that was given up has ended"),
            // It was completed, or aborted, by a request whose answer nobody waited for.
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => {
                tracing::warn!(blob.upload = %self.path, %error, "an upload that was given up stays behind in the bucket");
            }
        }
    }
}

impl Watched {
    fn upload(&mut self) -> &mut dyn MultipartUpload {
        let rest = self.rest.as_mut().expect("nothing is asked of an upload that has ended");
        &mut *rest.upload
    }
}

impl MultipartUpload for Watched {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (part, on_its_way) = (self.upload().put_part(data), self.part.clone());
        async move {
            let done = part.await;
            drop(on_its_way);
            done
        }
        .boxed()
    }

    fn complete<'a, 'b>(&'a mut self) -> BoxFuture<'b, object_store::Result<PutResult>>
    where
        'a: 'b,
        Self: 'b,
    {
        async move {
            let done = self.upload().complete().await?;
            self.rest = None;
            Ok(done)
        }
        .boxed()
    }

    fn abort<'a, 'b>(&'a mut self) -> BoxFuture<'b, object_store::Result<()>>
    where
        'a: 'b,
        Self: 'b,
    {
        async move {
            self.upload().abort().await?;
            self.rest = None;
            Ok(())
        }
        .boxed()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let Some(rest) = self.rest.take() else { return };
        if let Err(full) = self.given_up.try_send(rest) {
            let path = full.into_inner().path;
            tracing::warn!(blob.upload = %path, "an upload that was given up stays behind in the bucket");
        }
    }
}
