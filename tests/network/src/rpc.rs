//! A client of a gateway's JSON-RPC, for gateways that may die meanwhile.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// What a gateway answers.
// Complete: JSON-RPC has no other answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The result.
    Result(Value),
    /// The error.
    Error(Value),
}

/// A client.
#[derive(Debug, Clone)]
pub struct RpcClient {
    http: reqwest::Client,
    url: String,
}

impl RpcClient {
    /// Returns a client of the gateway at an address.
    ///
    /// # Errors
    /// If there is no HTTP client.
    pub fn new(address: SocketAddr) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
        Ok(Self { http, url: format!("http://{address}") })
    }

    /// Returns a client with its own HTTP client and URL, for gateways with TLS.
    pub fn with(http: reqwest::Client, url: String) -> Self {
        Self { http, url }
    }

    /// Calls a method.
    ///
    /// # Errors
    /// If the gateway gives no answer.
    pub async fn answer(&self, method: &str, params: &Value) -> Result<Answer> {
        let request = json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": 1 });
        let post = self.http.post(&self.url).header("content-type", "application/json").body(request.to_string());
        let bytes = post.send().await?.bytes().await?;
        let mut answer: Value = serde_json::from_slice(&bytes).context("the gateway's answer is no JSON")?;
        Ok(match answer.get_mut("error") {
            Some(error) => Answer::Error(error.take()),
            None => Answer::Result(answer["result"].take()),
        })
    }

    /// Calls a method whose error is this function's, too.
    ///
    /// # Errors
    /// If the gateway gives no answer, or an error.
    pub async fn call(&self, method: &str, params: &Value) -> Result<Value> {
        match self.answer(method, params).await? {
            Answer::Result(result) => Ok(result),
            Answer::Error(error) => Err(anyhow::anyhow!("{method}: {error}")),
        }
    }
}
