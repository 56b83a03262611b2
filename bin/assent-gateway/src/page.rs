//! The gateway's page: static files that are part of the program, and the script that replays evidence.
//!
//! The page asks the same API as every caller, with the same token. Nothing of it is secret.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use axum::{
    body::{Body, Bytes},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};

/// The name of the script that replays evidence, beside the program.
const REPLAY: &str = "assent-replay.js";
/// The most bytes of that script.
const MAX_REPLAY: u64 = 16 * 1024 * 1024;

const MARKUP: &str = include_str!("../page/page.html");
const STYLE: &str =
    concat!(include_str!("../../../inspector/shared/shared.css"), "\n", include_str!("../page/page.css"));
/// In its own scope, so that it replaces nothing of the browser's.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("../../../inspector/shared/document.js"),
    include_str!("../../../inspector/shared/verdict.js"),
    include_str!("../../../inspector/shared/evidence.js"),
    include_str!("../../../inspector/shared/verifier.js"),
    include_str!("../page/connection.js"),
    include_str!("../page/decisions.js"),
    include_str!("../page/decision.js"),
    include_str!("../page/operators.js"),
    include_str!("../page/page.js"),
    "})();\n",
);

/// Only the gateway's own script and style; requests only to the gateway; no text ever becomes markup.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    worker-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types replay";
/// The worker runs WebAssembly, and asks for nothing.
const REPLAY_POLICY: &str = "default-src 'none'; script-src 'wasm-unsafe-eval'";

/// What is served as the page.
pub(crate) struct GatewayPage {
    /// The script that replays evidence, if there is one.
    replay: Option<Bytes>,
}

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PageFile {
    Markup,
    Style,
    Script,
    /// The script that replays evidence.
    Replay,
}

impl GatewayPage {
    /// Reads the script that replays evidence. One that is named has to be there.
    pub(crate) fn new(replay: Option<&Path>) -> Result<Self> {
        let read = |path: &Path| -> Result<Bytes> {
            let length = fs::metadata(path).with_context(|| format!("page-replay: no {}", path.display()))?.len();
            ensure!(length <= MAX_REPLAY, "page-replay: {} has more than {MAX_REPLAY} bytes", path.display());
            Ok(fs::read(path).with_context(|| format!("page-replay: cannot read {}", path.display()))?.into())
        };
        let replay = match replay {
            Some(path) => Some(read(path)?),
            None => beside_the_program().and_then(|path| read(&path).ok()),
        };
        Ok(Self { replay })
    }

    /// Returns the answer with a file.
    pub(crate) fn serve(&self, file: PageFile) -> Response {
        match (file, &self.replay) {
            (PageFile::Markup, _) => with_headers("text/html; charset=utf-8", PAGE_POLICY, MARKUP.into()),
            (PageFile::Style, _) => with_headers("text/css; charset=utf-8", PAGE_POLICY, STYLE.into()),
            (PageFile::Script, _) => with_headers("text/javascript; charset=utf-8", PAGE_POLICY, SCRIPT.into()),
            (PageFile::Replay, Some(script)) => {
                with_headers("text/javascript; charset=utf-8", REPLAY_POLICY, script.clone().into())
            }
            (PageFile::Replay, None) => {
                let next = "run `cargo xtask inspector`, or give page-replay";
                let text = format!("this gateway has no script that replays evidence: {next}\n");
                (StatusCode::NOT_FOUND, text).into_response()
            }
        }
    }
}

fn beside_the_program() -> Option<PathBuf> {
    Some(env::current_exe().ok()?.parent()?.join(REPLAY))
}

fn with_headers(kind: &'static str, policy: &'static str, body: Body) -> Response {
    let headers: [(HeaderName, &str); 6] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    (headers, body).into_response()
}
