//! stub
use crate::net::Budget;
use runway_core::{
    artifact::{manifest::*, *},
    flux::reference::*,
    problem::*,
    settings::PlainHttp,
};
use std::path::PathBuf;
pub(crate) struct Options<'a> {
    pub(crate) plain_http: PlainHttp,
    pub(crate) budget: Budget,
    pub(crate) variables: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) home: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
}
pub(crate) struct Client;
pub(crate) struct Head {
    pub(crate) digest: Digest,
}
pub(crate) struct Fetched {
    pub(crate) digest: Digest,
    pub(crate) manifest: Manifest,
}
pub(crate) fn ends_the_asking(_: &Problem) -> bool {
    false
}
impl Client {
    pub(crate) fn new(_: Options<'_>) -> Result<Self, Problem> {
        Ok(Client)
    }
    pub(crate) async fn head(&self, _: &Repository, _: &Target) -> Result<Option<Head>, Problem> {
        Err(Problem::usage("stub"))
    }
    pub(crate) async fn manifest(&self, _: &Repository, _: &Target) -> Result<Option<Fetched>, Problem> {
        Err(Problem::usage("stub"))
    }
    pub(crate) async fn blob(&self, _: &Repository, _: &Descriptor) -> Result<Vec<u8>, Problem> {
        Err(Problem::usage("stub"))
    }
    pub(crate) async fn upload(&self, _: &Repository, _: &Artifact) -> Result<(), Problem> {
        Err(Problem::usage("stub"))
    }
    pub(crate) async fn tag(&self, _: &Repository, _: &Artifact, _: &str, _: Option<&Digest>) -> Result<(), Problem> {
        Err(Problem::usage("stub"))
    }
}
