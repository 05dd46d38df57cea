//! Blobs piece by piece: however large one is, no more than a piece of it is in memory.

use std::ops::Range;

use bytes::Bytes;
use futures::{Stream, stream};
use millrace_contracts::BlobId;

use crate::{Blobs, BlobsError};

/// Read from a folder at once, bytes.
const PIECE_BYTES: u64 = 1 << 20;
/// The same from a bucket, where each piece is a request.
const PIECE_BYTES_OF_BUCKET: u64 = 8 << 20;

impl Blobs {
    /// The `range` of a blob, piece by piece, each read when it is asked for. It ends where the range does, which ends within the
    /// blob.
    pub fn pieces(
        &self,
        id: BlobId,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Bytes, BlobsError>> + Send + use<> {
        let usual = if self.folder.is_some() { PIECE_BYTES } else { PIECE_BYTES_OF_BUCKET };
        // What is read at once is bounded like a blob.
        let piece = usual.min(self.max_blob_bytes).max(1);
        stream::try_unfold((self.clone(), range.start), move |(blobs, at)| async move {
            if at >= range.end {
                return Ok(None);
            }
            let end = range.end.min(at + piece);
            let bytes = blobs.get_range(id, at..end).await?;
            Ok(Some((bytes, (blobs, end))))
        })
    }
}
