//! What a source asks of the world, and what it is answered.

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

/// A question and its answer, as a recording holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Exchange {
    /// The question.
    pub question: Question,
    /// The answer.
    pub answer: Answer,
}

/// A question of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "import", rename_all_fields = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub enum Question {
    /// A call of a contract.
    #[serde(rename = "chain.call")]
    Call {
        /// The contract.
        to: Address,
        /// The calldata.
        data: Bytes,
    },
    /// A word of an account's storage.
    #[serde(rename = "chain.storage")]
    Storage {
        /// The account.
        account: Address,
        /// The slot.
        slot: B256,
    },
    /// An account's code.
    #[serde(rename = "chain.code")]
    Code {
        /// The account.
        account: Address,
    },
    /// An account's balance.
    #[serde(rename = "chain.balance")]
    Balance {
        /// The account.
        account: Address,
    },
    /// Logs.
    #[serde(rename = "chain.logs")]
    Logs {
        /// Which logs.
        filter: LogFilter,
    },
    /// The header of an ancestor of the reference block. Only [`history`](crate::history) asks for it.
    #[serde(rename = "chain.header")]
    Header {
        /// The number of the block.
        number: u64,
    },
    /// An HTTP request.
    #[serde(rename = "http.send")]
    Http {
        /// The request, with the names of secrets in place of their values.
        request: HttpRequest,
    },
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Answer {
    /// A call returned this.
    Returned(Bytes),
    /// A call reverted with this.
    Reverted(Bytes),
    /// The word of storage.
    Storage(B256),
    /// The code.
    Code(Bytes),
    /// The balance in wei.
    #[serde(with = "decimal")]
    Balance(U256),
    /// The logs, in the order of the chain.
    Logs(Vec<Log>),
    /// The header.
    Header(Header),
    /// The answer of a host, whatever its status is.
    Response(HttpResponse),
    /// There is no answer of a host.
    Failure(HttpFailure),
}

/// A selection of logs.
///
/// Complete: it is what the interface `chain` has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogFilter {
    /// The contracts that emitted the log, at least one.
    pub addresses: Vec<Address>,
    /// The topics that each index of a log's topics may have. An empty list permits every topic.
    pub topics: Vec<Vec<B256>>,
    /// The first block.
    pub from_block: u64,
    /// The last block.
    pub to_block: u64,
}

/// A log.
///
/// Complete: it is what the interface `chain` has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Log {
    /// The contract.
    pub address: Address,
    /// The topics, of which the first is usually the event's hash.
    pub topics: Vec<B256>,
    /// The arguments that are not indexed.
    pub data: Bytes,
    /// The block's number.
    pub block_number: u64,
    /// The index in the block.
    pub log_index: u32,
    /// The transaction.
    pub transaction_hash: B256,
}

/// The part of a block's header that a source may read.
///
/// Complete: number, hash and time identify a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    /// The number.
    pub number: u64,
    /// The hash.
    pub hash: B256,
    /// The timestamp, in Unix seconds.
    pub timestamp: u64,
}

/// An HTTP request as a component writes it.
///
/// Complete: it is what the interface `http` has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpRequest {
    /// The method.
    pub method: HttpMethod,
    /// The URL.
    pub url: String,
    /// The headers, whose values may contain `{{secret:NAME}}`.
    pub headers: Vec<HttpHeader>,
    /// The body.
    pub body: Option<String>,
}

/// The method of an HTTP request.
///
/// Complete: it is what the interface `http` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// GET.
    Get,
    /// POST.
    Post,
}

/// A header of an HTTP request or answer.
///
/// Complete: it is what the interface `http` has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpHeader {
    /// The name, in lower case.
    pub name: String,
    /// The value.
    pub value: String,
}

/// The answer of a host.
///
/// Complete: it is what the interface `http` has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<HttpHeader>,
    /// The body.
    pub body: String,
}

/// Why there is no answer of a host.
///
/// Complete: it is what the interface `http` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpFailure {
    /// The answer was not complete in time.
    Timeout,
    /// The host has no address, accepts no connection, or breaks it.
    Unreachable,
    /// The answer has too many bytes.
    TooLarge,
    /// The body is not UTF-8.
    NotText,
}

impl HttpRequest {
    /// Returns the bytes of URL, headers and body together.
    pub(crate) fn size(&self) -> usize {
        let headers = self.headers.iter().map(HttpHeader::size).sum::<usize>();
        self.url.len().saturating_add(headers).saturating_add(self.body.as_ref().map_or(0, String::len))
    }
}

impl HttpHeader {
    fn size(&self) -> usize {
        self.name.len().saturating_add(self.value.len())
    }
}

impl Answer {
    /// Returns about how many bytes the answer has, with what each of its parts takes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Returned(bytes) | Self::Reverted(bytes) | Self::Code(bytes) => bytes.len(),
            Self::Storage(_) | Self::Balance(_) | Self::Header(_) | Self::Failure(_) => PART,
            Self::Logs(logs) => size_of_logs(logs),
            Self::Response(response) => {
                let headers = response.headers.iter().map(HttpHeader::size).sum::<usize>();
                response.body.len().saturating_add(headers)
            }
        }
    }
}

/// About the bytes of a value of fixed length in JSON.
const PART: usize = 64;

/// Returns about how many bytes logs have.
pub(crate) fn size_of_logs(logs: &[Log]) -> usize {
    let size = |log: &Log| log.data.len().saturating_add(PART.saturating_mul(log.topics.len().saturating_add(2)));
    logs.iter().map(size).fold(0, usize::saturating_add)
}

impl LogFilter {
    /// Returns whether the filter selects a log.
    pub(crate) fn selects(&self, log: &Log) -> bool {
        let is_topic = |(index, permitted): (usize, &Vec<B256>)| {
            permitted.is_empty() || log.topics.get(index).is_some_and(|topic| permitted.contains(topic))
        };
        (self.from_block..=self.to_block).contains(&log.block_number)
            && self.addresses.contains(&log.address)
            && self.topics.iter().enumerate().all(is_topic)
    }
}

/// An integer as a decimal string: other readers of JSON may not hold it exactly.
mod decimal {
    use alloy_primitives::U256;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &U256, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<U256, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = U256::from_str_radix(&text, 10).map_err(D::Error::custom)?;
        if value.to_string() == text { Ok(value) } else { Err(D::Error::custom("not a decimal integer")) }
    }
}
