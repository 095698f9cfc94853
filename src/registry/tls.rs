//! Whom to trust, and what to show: certificate authorities, and the client certificate of a registry that wants one.
//!
//! Beside what the caller names, Docker's and podman's folders are read: `certs.d/HOST[:PORT]` with `*.crt` (authorities)
//! and a pair `*.cert` and `*.key`. The first folder that exists counts, as it does for podman.

use super::local;
use super::secret::Secret;
use reqwest::{Certificate, ClientBuilder, Identity};
use runway_core::problem::{Place, Problem};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Bytes of a file with certificates; the largest system bundles have a quarter of that.
const MAX_BUNDLE: u64 = 4 << 20;
/// Entries of a registry's folder that are looked at, and of one that holds a system's authorities.
const MAX_ENTRIES: usize = 100;
const MAX_AUTHORITIES: usize = 2_000;

/// Files that the caller names; they hold for every registry that is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// Certificates of further authorities, in PEM form.
    pub(crate) authorities: Option<PathBuf>,
    /// A client certificate and its key, in PEM form.
    pub(crate) pair: Option<(PathBuf, PathBuf)>,
}

/// Who may sign a registry's certificate, and how this program proves who it is.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Authorities that the caller names, besides the system's.
    extra: Vec<Certificate>,
    /// The caller's client certificate.
    pair: Option<Pair>,
    /// Instead of the system's.
    instead: Instead,
    /// Folders named `certs.d`.
    folders: Vec<PathBuf>,
    /// What these folders have for a host, once it was asked for.
    read: Mutex<HashMap<String, Reading>>,
    /// How long a file that is a pipe may take.
    patience: Duration,
}

/// `SSL_CERT_FILE` and `SSL_CERT_DIR`: with either, the system's authorities do not count, and with both, both are read, as Go
/// does it. Read when the first TLS connection is made.
#[derive(Debug, Default)]
pub(super) struct Instead {
    file: Option<PathBuf>,
    folders: Vec<PathBuf>,
}

/// What was read of the folders for a host; `None`: none has anything for it.
type Reading = Result<Option<Arc<Own>>, String>;

/// A client certificate with its key.
#[derive(Debug, Clone)]
struct Pair {
    pem: Secret,
    from: String,
}

/// What a folder has for one registry.
#[derive(Debug)]
struct Own {
    folder: PathBuf,
    authorities: Vec<Certificate>,
    pair: Option<Pair>,
}

impl Trust {
    /// Reads the caller's files now, so that a mistake in them is told even when no TLS follows.
    pub(super) fn new(files: &Files, instead: Instead, folders: Vec<PathBuf>, patience: Duration) -> Result<Self, Problem> {
        let extra = match &files.authorities {
            Some(path) => bundle(path, patience).map_err(|why| {
                Problem::input("cannot read the file of certificate authorities")
                    .cause(why)
                    .at(Place::file(path.display().to_string()))
                    .hint("it must hold certificates in PEM form (-----BEGIN CERTIFICATE-----)")
            })?,
            None => Vec::new(),
        };
        let pair = match &files.pair {
            Some((certificate, key)) => Some(pair(certificate, key, patience).map_err(|(path, why)| {
                Problem::input("the client certificate cannot be used")
                    .cause(why)
                    .at(Place::file(path.display().to_string()))
                    .hint("--cert-file names a certificate in PEM form, and --key-file its key, without a passphrase")
            })?),
            None => None,
        };
        Ok(Self { extra, pair, instead, folders, read: Mutex::default(), patience })
    }

    /// Where trust in a host comes from, for explanations.
    pub(super) fn shown(&self, host: &str) -> String {
        let base = self.instead.shown().unwrap_or_else(|| "the system's certificate authorities".to_owned());
        let own = self.own(host).ok().flatten().filter(|own| !own.authorities.is_empty());
        let named = if self.extra.is_empty() { "" } else { ", --ca-file" };
        let folder = own.map(|own| format!(", {}", own.folder.display())).unwrap_or_default();
        format!("{base}{named}{folder}")
    }

    /// Where the client certificate for a host comes from.
    pub(super) fn certificate(&self, host: &str) -> Option<String> {
        self.pair_for(host).ok().flatten().map(|pair| pair.from)
    }

    /// Whether a host is met in a way of its own: with a client certificate, or with authorities that only it has.
    pub(super) fn is_special(&self, host: &str) -> bool {
        self.pair.is_some() || !matches!(self.own(host), Ok(None))
    }

    /// Tells a client whom to trust about this registry, and, `with_pair`, what to show it.
    pub(super) fn apply(&self, builder: ClientBuilder, host: &str, with_pair: bool) -> Result<ClientBuilder, String> {
        let own = self.own(host)?;
        let extra = self.extra.iter().chain(own.iter().flat_map(|own| &own.authorities)).cloned();
        let builder = if let Some(instead) = self.instead.read(self.patience)? {
            // The system's verifier reads these variables on Linux only; done here, they hold everywhere.
            builder.tls_certs_only(instead.into_iter().chain(extra))
        } else {
            let extra: Vec<Certificate> = extra.collect();
            if extra.is_empty() { builder } else { builder.tls_certs_merge(extra) }
        };
        match self.pair_for(host)?.filter(|_| with_pair) {
            Some(pair) => Ok(builder.identity(identity(&pair.pem).map_err(|why| format!("{}: {why}", pair.from))?)),
            None => Ok(builder),
        }
    }

    fn pair_for(&self, host: &str) -> Result<Option<Pair>, String> {
        match &self.pair {
            Some(pair) => Ok(Some(pair.clone())),
            None => Ok(self.own(host)?.and_then(|own| own.pair.clone())),
        }
    }

    fn own(&self, host: &str) -> Reading {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(host) {
            return known.clone();
        }
        let found = self
            .folders
            .iter()
            .find_map(|folder| Own::read(folder, host, self.patience))
            .transpose()
            .map(|own| own.map(Arc::new));
        read.insert(host.to_owned(), found.clone());
        found
    }
}

impl Instead {
    /// Takes the variables.
    pub(super) fn of(variables: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variables(name).filter(|text| !text.is_empty());
        let folders = set("SSL_CERT_DIR").map(|text| std::env::split_paths(&text).collect()).unwrap_or_default();
        Self { file: set("SSL_CERT_FILE").map(PathBuf::from), folders }
    }

    fn shown(&self) -> Option<String> {
        let file = self.file.iter().map(|file| format!("SSL_CERT_FILE={}", file.display()));
        let folders = self.folders.iter().map(|folder| format!("SSL_CERT_DIR={}", folder.display()));
        Some(file.chain(folders).collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
    }

    /// `None`: neither is set.
    fn read(&self, patience: Duration) -> Result<Option<Vec<Certificate>>, String> {
        let Some(shown) = self.shown() else { return Ok(None) };
        let mut found = Vec::new();
        if let Some(file) = &self.file {
            found.extend(bundle(file, patience).map_err(|why| format!("SSL_CERT_FILE={}: {why}", file.display()))?);
        }
        for folder in &self.folders {
            let entries = std::fs::read_dir(folder).map_err(|error| format!("SSL_CERT_DIR={}: {error}", folder.display()))?;
            let mut files: Vec<PathBuf> = entries.take(MAX_AUTHORITIES).filter_map(|entry| Some(entry.ok()?.path())).collect();
            files.retain(|file| file.is_file());
            files.sort();
            // Other files may lie there too, and a system's folder names each certificate twice.
            found.extend(files.iter().filter_map(|file| bundle(file, patience).ok()).flatten());
        }
        if found.is_empty() { Err(format!("{shown}: there is no certificate")) } else { Ok(Some(found)) }
    }
}

impl Own {
    /// `None`: there is no such folder.
    fn read(folder: &Path, host: &str, patience: Duration) -> Option<Result<Self, String>> {
        // A host is a name and a port; anything else would lead out of the folder.
        if host.contains(['/', '\\']) || host.starts_with('.') {
            return None;
        }
        // No file of Windows may have a colon in its name, so that Docker leaves it out.
        let name = if cfg!(windows) { host.replace(':', "") } else { host.to_owned() };
        let folder = folder.join(name);
        let entries = std::fs::read_dir(&folder).ok()?;
        let mut files: Vec<PathBuf> =
            entries.take(MAX_ENTRIES).filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        files.sort();
        Some(Self::of(folder, &files, patience))
    }

    fn of(folder: PathBuf, files: &[PathBuf], patience: Duration) -> Result<Self, String> {
        let ends = |path: &&PathBuf, with: &str| path.extension().is_some_and(|extension| extension == with);
        let said = |(path, why): (PathBuf, String)| format!("{}: {why}", path.display());
        let mut authorities = Vec::new();
        for path in files.iter().filter(|path| ends(path, "crt")) {
            authorities.extend(bundle(path, patience).map_err(|why| said((path.clone(), why)))?);
        }
        let own = match files.iter().find(|path| ends(path, "cert")) {
            Some(certificate) => Some(pair(certificate, &certificate.with_extension("key"), patience).map_err(said)?),
            None => None,
        };
        Ok(Self { folder, authorities, pair: own })
    }
}

/// Reads a certificate and its key; the error names the file.
fn pair(certificate: &Path, key: &Path, limit: Duration) -> Result<Pair, (PathBuf, String)> {
    let text = |path: &Path, what: &str| {
        let text = read(path, limit).and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not in PEM form".to_owned()));
        let text = text.map_err(|why| (path.to_owned(), why))?;
        match text.contains(what) {
            true if text.contains("ENCRYPTED") => {
                Err((path.to_owned(), "its key has a passphrase, and none is asked for".to_owned()))
            }
            true => Ok(text),
            false => Err((path.to_owned(), format!("it holds no {}", what.trim_end_matches('-').to_ascii_lowercase()))),
        }
    };
    let pem = format!("{}\n{}", text(key, "PRIVATE KEY-----")?, text(certificate, "CERTIFICATE-----")?);
    let pair = Pair { pem: Secret::new(pem), from: certificate.display().to_string() };
    identity(&pair.pem).map_err(|why| (certificate.to_owned(), why))?;
    Ok(pair)
}

fn identity(pem: &Secret) -> Result<Identity, String> {
    Identity::from_pem(pem.expose().as_bytes()).map_err(|_| "the certificate and its key are not in PEM form".to_owned())
}

fn bundle(path: &Path, limit: Duration) -> Result<Vec<Certificate>, String> {
    let certificates = Certificate::from_pem_bundle(&read(path, limit)?).map_err(|_| "it is not in PEM form".to_owned())?;
    if certificates.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    Ok(certificates)
}

fn read(path: &Path, limit: Duration) -> Result<Vec<u8>, String> {
    let bytes = local::read(path, MAX_BUNDLE, limit).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_BUNDLE {
        return Err("it is larger than 4 MiB".to_owned());
    }
    Ok(bytes)
}
