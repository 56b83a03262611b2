//! The gateways that a command asks.

use crate::input;
use anyhow::{Context as _, Result};
use assent_client::gateway::{GatewayClient, GatewayError};
use clap::{Args, ValueHint};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The longest token, in bytes.
const LONGEST_TOKEN: u64 = 4096;

/// The options that name gateways.
#[derive(Args)]
pub struct Gateways {
    /// A gateway; repeat it for more. Here or in the environment variable ASSENT_GATEWAY, separated by commas.
    #[arg(
        long = "gateway", value_name = "URL", env = "ASSENT_GATEWAY", value_delimiter = ',', required = true,
        hide_env = true, value_hint = ValueHint::Url
    )]
    gateways: Vec<String>,
    /// The file with the token that the gateways ask for.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    token_file: Option<PathBuf>,
}

impl Gateways {
    /// Returns a client of the gateways, with the token.
    pub fn client(&self) -> Result<GatewayClient> {
        let client = GatewayClient::new(&self.gateways)?;
        let Some(path) = &self.token_file else { return Ok(client) };
        let token = input::read_secret("file of the token", path, LONGEST_TOKEN)?;
        let token = str::from_utf8(&token).context("the token is not UTF-8; give the file that its gateway made")?;
        Ok(client.with_token(token.trim())?)
    }

    /// Returns the file of the token.
    pub fn token_file(&self) -> Option<&PathBuf> {
        self.token_file.as_ref()
    }
}

/// Returns a gateway's error for programs.
pub fn error_to_json(error: &GatewayError) -> Value {
    json!({
        "code": error.code().unwrap_or("unreachable"),
        "message": error.to_string(),
        "retryable": error.is_retryable(),
        "next": error.next_step(),
        "taskId": error.task_id(),
    })
}
