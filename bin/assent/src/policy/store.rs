//! Stores of built policies: folders, and web servers. A store is not trusted: what it gives is verified.

use super::files::LONGEST_POLICY;
use crate::{connection, input, output, output_file::OutputFile};
use alloy::transports::http::reqwest::{Client, Response, StatusCode, Url, header, redirect};
use anyhow::{Context as _, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// The maximum wait for a connection, and for the next bytes.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The maximum time of a whole transfer.
const LONGEST_TRANSFER: Duration = Duration::from_secs(600);

/// Where built policies are: a folder, or a URL.
pub enum Store {
    /// A folder.
    Folder(PathBuf),
    /// The URL below which a web server has files.
    Web(Url),
}

impl Store {
    /// Reads a folder's path or a URL.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split_once("://") {
            Some(("http" | "https", _)) => Ok(Self::Web(parse_url(text)?)),
            Some(("file", path)) => Ok(Self::Folder(path.into())),
            Some((scheme, _)) => bail!("{scheme}:// is not a store; give a folder, or a URL with https:// or http://"),
            None => Ok(Self::Folder(text.into())),
        }
    }

    /// Writes a file, and returns its URI. A file that is there already must be the same.
    pub fn put(&self, name: &str, bytes: Vec<u8>) -> Result<String> {
        match self {
            Self::Folder(folder) => put_into(folder, name, &bytes),
            Self::Web(url) => {
                let url = below(url, name)?;
                let _spinner = output::spinner(format!("Uploading to {}", host(&url)));
                connection::block_on(upload(&url, bytes)).with_context(|| format!("cannot upload to {url}"))?;
                Ok(url.to_string())
            }
        }
    }

    /// Reads a file.
    pub fn get(&self, name: &str) -> Result<Vec<u8>> {
        match self {
            Self::Folder(folder) => input::read_file("policy", &folder.join(name), LONGEST_POLICY),
            Self::Web(url) => get_url(&below(url, name)?),
        }
    }
}

/// Reads the file at a URI.
pub fn get(uri: &str) -> Result<Vec<u8>> {
    match Store::parse(uri)? {
        Store::Folder(path) => input::read_file("policy", &path, LONGEST_POLICY),
        Store::Web(url) => get_url(&url),
    }
}

/// Returns whether a URI names a file of this machine.
pub fn is_local(uri: &str) -> bool {
    !matches!(Store::parse(uri), Ok(Store::Web(_)))
}

fn put_into(folder: &Path, name: &str, bytes: &[u8]) -> Result<String> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot create the folder {}; --store takes a folder or a URL", folder.display()))?;
    let path = folder.join(name);
    let existing = path.is_file().then(|| input::read_file("policy", &path, LONGEST_POLICY)).transpose()?;
    match existing {
        Some(existing) if existing == bytes => {}
        // Its name is the address of other bytes.
        Some(_) => bail!("{} is damaged: it is not what its name says; remove it", path.display()),
        None => OutputFile::new("policy", &path, false)?.write(bytes)?,
    }
    let path = path.canonicalize().with_context(|| format!("cannot find {}", path.display()))?;
    Ok(format!("file://{}", path.display()))
}

fn get_url(url: &Url) -> Result<Vec<u8>> {
    let _spinner = output::spinner(format!("Downloading from {}", host(url)));
    connection::block_on(download(url)).with_context(|| format!("cannot fetch {url}"))
}

async fn download(url: &Url) -> Result<Vec<u8>> {
    let mut response = client()?.get(url.clone()).send().await?;
    require_success(&response)?;
    if response.content_length().is_some_and(|length| length > LONGEST_POLICY) {
        bail!("the server announces more than {LONGEST_POLICY} bytes, which no policy has");
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if u64::try_from(bytes.len() + chunk.len())? > LONGEST_POLICY {
            bail!("the server sends more than {LONGEST_POLICY} bytes, which no policy has");
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn upload(url: &Url, bytes: Vec<u8>) -> Result<()> {
    let response = client()?.put(url.clone()).body(bytes).send().await?;
    require_success(&response)
}

fn client() -> Result<Client> {
    let client = Client::builder()
        // The URL names the server; the server must not choose another.
        .redirect(redirect::Policy::none())
        .connect_timeout(LONGEST_WAIT)
        .read_timeout(LONGEST_WAIT)
        .timeout(LONGEST_TRANSFER);
    client.build().context("cannot start the HTTP client")
}

fn require_success(response: &Response) -> Result<()> {
    let status = response.status();
    if status.is_redirection() {
        let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        bail!("the server redirects to {}; give that URL if you trust it", location.unwrap_or("no URL"));
    }
    match status {
        _ if status.is_success() => Ok(()),
        StatusCode::NOT_FOUND => bail!("the server does not have it"),
        _ => bail!("the server answers {status}"),
    }
}

fn below(url: &Url, name: &str) -> Result<Url> {
    let mut url = url.clone();
    let mut path =
        url.path_segments_mut().map_err(|()| anyhow::anyhow!("the URL has no path; give another --store"))?;
    path.pop_if_empty().push(name);
    drop(path);
    Ok(url)
}

fn parse_url(text: &str) -> Result<Url> {
    let url: Url = text.parse().with_context(|| format!("{text} is not a URL"))?;
    if url.scheme() == "https" && !cfg!(feature = "https") {
        bail!("this build of assent has no TLS; build it with the default feature `https`, or use an http:// URL");
    }
    Ok(url)
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or("the server").to_owned()
}
