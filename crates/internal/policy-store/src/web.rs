//! Files on web servers.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode, Url, header, redirect};

use crate::StoreError;

/// The maximum wait for a connection, and for the next bytes.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The maximum time of a whole transfer.
const LONGEST_TRANSFER: Duration = Duration::from_secs(600);

/// Parses a URL that this build can reach.
pub(crate) fn parse(text: &str) -> Result<Url, StoreError> {
    let url = text.parse::<Url>().map_err(|error| invalid(text, error))?;
    if url.scheme() == "https" && !cfg!(feature = "https") {
        return Err(StoreError::Unsupported { what: "https" });
    }
    Ok(url)
}

/// Returns the URL of a file below another.
pub(crate) fn below(url: &Url, name: &str) -> Result<Url, StoreError> {
    let mut below = url.clone();
    below.path_segments_mut().map_err(|()| invalid(url, "it has no path"))?.pop_if_empty().push(name);
    Ok(below)
}

/// Downloads a file of at most `limit` bytes.
pub(crate) async fn download(url: &Url, limit: usize) -> Result<Vec<u8>, StoreError> {
    let failed = |source| StoreError::Transport { doing: "fetch", uri: url.to_string(), source };
    let too_long = |what| StoreError::TooLong { uri: url.to_string(), what };
    let mut response = client().map_err(failed)?.get(url.clone()).send().await.map_err(failed)?;
    require_success("fetch", url, &response)?;
    let longest = u64::try_from(limit).unwrap_or(u64::MAX);
    if response.content_length().is_some_and(|length| length > longest) {
        return Err(too_long("announces"));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if chunk.len() > limit.saturating_sub(bytes.len()) {
            return Err(too_long("sends"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Uploads a file.
pub(crate) async fn upload(url: &Url, bytes: Vec<u8>) -> Result<(), StoreError> {
    let failed = |source| StoreError::Transport { doing: "upload to", uri: url.to_string(), source };
    let response = client().map_err(failed)?.put(url.clone()).body(bytes).send().await.map_err(failed)?;
    require_success("upload to", url, &response)
}

fn client() -> reqwest::Result<Client> {
    Client::builder()
        // The URL names the server; the server must not choose another.
        .redirect(redirect::Policy::none())
        .connect_timeout(LONGEST_WAIT)
        .read_timeout(LONGEST_WAIT)
        .timeout(LONGEST_TRANSFER)
        .build()
}

fn require_success(doing: &'static str, url: &Url, response: &Response) -> Result<(), StoreError> {
    let (uri, status) = (url.to_string(), response.status());
    if status.is_redirection() {
        let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        return Err(StoreError::Redirected { uri, target: location.unwrap_or("no URL").to_owned() });
    }
    match status {
        _ if status.is_success() => Ok(()),
        StatusCode::NOT_FOUND => Err(StoreError::NotFound { uri, reason: "the server does not have it" }),
        _ => Err(StoreError::Status { doing, uri, status: status.to_string() }),
    }
}

fn invalid(text: impl ToString, reason: impl ToString) -> StoreError {
    StoreError::InvalidUrl { text: text.to_string(), reason: reason.to_string() }
}
