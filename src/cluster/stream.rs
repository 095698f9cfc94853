//! Decodes an answer while it arrives: body → bounded channel → a decoder in a thread, so that a list of 5,000 objects costs the
//! memory of what is kept of them.

use super::fault::Fault;
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use std::io::{BufReader, Read};
use tokio::sync::mpsc;

/// Pieces of a body (about 16 KiB each) that may wait for the decoder.
const WAITING: usize = 4;

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

/// Makes something of a body, or says what is wrong with it.
pub(super) type Decoder<T> = fn(Pieces) -> Result<T, String>;

/// Decodes a body while it arrives.
pub(super) async fn decode<T: Send + 'static>(
    server: &str,
    body: Body,
    allowance: &mut Allowance,
    decoder: Decoder<T>,
) -> Result<T, Fault> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let decoding = tokio::task::spawn_blocking(move || decoder(Pieces { receiver, piece: Vec::new(), at: 0 }));
    let end = pump(server, body, allowance, sender).await;
    let decoded = decoding.await;
    match (end, decoded) {
        (End::Broken(fault), _) => Err(fault),
        (_, Ok(Ok(value))) => Ok(value),
        (_, Ok(Err(why))) => Err(Fault::garbage(server, why)),
        (_, Err(_)) => Err(Fault::new("Internal", format!("the decoder of {server}'s answer broke down"))),
    }
}

/// Decodes a body as one value.
pub(super) fn whole<T: DeserializeOwned>(pieces: Pieces) -> Result<T, String> {
    serde_json::from_reader(BufReader::with_capacity(64 * 1024, pieces)).map_err(|error: serde_json::Error| {
        format!("{} (line {}, column {})", words(error.classify()), error.line(), error.column())
    })
}

/// What is wrong with a body. serde's own words are not told: they quote it.
pub(super) fn words(category: Category) -> &'static str {
    match category {
        Category::Data => "its JSON is not what was asked for",
        Category::Eof => "its JSON ends too early",
        Category::Syntax | Category::Io => "its body is not JSON",
    }
}

/// Hands the body on, piece by piece, as fast as the decoder takes it.
async fn pump(server: &str, mut body: Body, allowance: &mut Allowance, sender: mpsc::Sender<Vec<u8>>) -> End {
    while let Some(frame) = body.frame().await {
        let piece = match frame {
            Ok(frame) => frame.into_data(),
            Err(error) => return End::Broken(Fault::transport(server, &error)),
        };
        let Ok(piece) = piece else { continue };
        if !allowance.take(piece.len()) {
            let limit = allowance.total / 1024 / 1024;
            return End::Broken(Fault::new("TooLarge", format!("{server} answered with more than {limit} MiB")));
        }
        if sender.send(piece.into()).await.is_err() {
            return End::Unwanted;
        }
    }
    End::All
}

/// The pieces of a body, one after the other, or as a blocking reader.
pub(super) struct Pieces {
    receiver: mpsc::Receiver<Vec<u8>>,
    /// What the reader takes from, and where it is.
    piece: Vec<u8>,
    at: usize,
}

impl Iterator for Pieces {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        self.receiver.blocking_recv()
    }
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let mut rest = self.piece.get(self.at..).unwrap_or_default();
            if !rest.is_empty() {
                let count = rest.read(out)?;
                self.at += count;
                return Ok(count);
            }
            let Some(piece) = self.next() else { return Ok(0) };
            (self.piece, self.at) = (piece, 0);
        }
    }
}
