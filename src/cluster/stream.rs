//! Decodes an answer while it arrives: body → bounded channel → `serde_json` in a thread, so that a list of 5,000 objects
//! costs the memory of what is kept of them.

use super::fault::Fault;
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde::de::DeserializeOwned;
use std::io::{BufReader, Read};
use tokio::sync::mpsc;

/// Pieces of a body (about 16 KiB each) that may wait for the decoder.
const WAITING: usize = 16;

/// How many bytes may still come, over several answers. Counted after decompression, so that a gzip bomb ends too.
pub(super) struct Allowance {
    left: u64,
    total: u64,
}

impl Allowance {
    /// An allowance of so many bytes.
    pub(super) fn new(total: u64) -> Self {
        Self { left: total, total }
    }

    fn take(&mut self, count: usize) -> bool {
        let rest = self.left.checked_sub(count as u64);
        self.left = rest.unwrap_or(0);
        rest.is_some()
    }
}

/// How the reading of a body ended.
enum End {
    /// All of it went to the decoder.
    All,
    /// The decoder wanted no more.
    Unwanted,
    /// It broke, or was too long.
    Broken(Fault),
}

/// Decodes a whole body. serde's own words are not told: they quote the body.
pub(super) async fn decode<T: DeserializeOwned + Send + 'static>(
    server: &str,
    body: Body,
    allowance: &mut Allowance,
) -> Result<T, Fault> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let decoding = tokio::task::spawn_blocking(move || {
        serde_json::from_reader::<_, T>(BufReader::with_capacity(64 * 1024, Pieces { receiver, piece: None, at: 0 }))
    });
    let end = pump(server, body, allowance, sender).await;
    let decoded = decoding.await;
    match (end, decoded) {
        (End::Broken(fault), _) => Err(fault),
        (_, Ok(Ok(value))) => Ok(value),
        (_, Ok(Err(error))) => {
            let (line, column) = (error.line(), error.column());
            let what = match error.classify() {
                serde_json::error::Category::Data => "its JSON is not what was asked for",
                serde_json::error::Category::Eof => "its JSON ends too early",
                serde_json::error::Category::Syntax | serde_json::error::Category::Io => "its body is not JSON",
            };
            Err(Fault::garbage(server, format_args!("{what} (line {line}, column {column})")))
        }
        (_, Err(_)) => Err(Fault::new("Internal", format!("the decoder of {server}'s answer broke down"))),
    }
}

/// Hands the body on, piece by piece, as fast as the decoder takes it.
async fn pump<D>(server: &str, mut body: Body, allowance: &mut Allowance, sender: mpsc::Sender<D>) -> End
where
    Body: http_body_util::BodyExt<Data = D, Error = kube::Error>,
    D: AsRef<[u8]>,
{
    while let Some(frame) = body.frame().await {
        let piece = match frame {
            Ok(frame) => frame.into_data(),
            Err(error) => return End::Broken(Fault::transport(server, &error)),
        };
        let Ok(piece) = piece else { continue };
        if !allowance.take(piece.as_ref().len()) {
            let limit = allowance.total / 1024 / 1024;
            return End::Broken(Fault::new("TooLarge", format!("{server} answered with more than {limit} MiB")));
        }
        if sender.send(piece).await.is_err() {
            return End::Unwanted;
        }
    }
    End::All
}

/// The pieces of a body as a blocking reader.
struct Pieces<D> {
    receiver: mpsc::Receiver<D>,
    piece: Option<D>,
    at: usize,
}

impl<D: AsRef<[u8]>> Read for Pieces<D> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let rest = self.piece.as_ref().and_then(|piece| piece.as_ref().get(self.at..)).unwrap_or_default();
            if !rest.is_empty() {
                let mut rest = rest;
                let count = rest.read(out)?;
                self.at += count;
                return Ok(count);
            }
            self.piece = self.receiver.blocking_recv();
            self.at = 0;
            if self.piece.is_none() {
                return Ok(0);
            }
        }
    }
}
