//! The world that sources observe.

use crate::{
    chain::ChainReader,
    error::ObserveError,
    exchange::{Answer, Header as BlockReference, LogFilter, Question},
    http::{HttpClient, HttpRefusal, Permissions},
    limits,
};
use std::sync::Arc;

/// The most topics of a log.
const TOPICS: usize = 4;

/// The chain and the web, as one source of a policy may see them.
#[derive(Clone)]
pub struct World {
    chain: Arc<dyn ChainReader>,
    web: Option<Web>,
}

#[derive(Clone)]
struct Web {
    client: Arc<dyn HttpClient>,
    permissions: Arc<Permissions>,
}

impl World {
    /// Returns a world with a chain, and without the web.
    pub fn new(chain: Arc<dyn ChainReader>) -> Self {
        Self { chain, web: None }
    }

    /// Adds the web, within what a source is permitted.
    #[must_use]
    pub fn with_web(mut self, client: Arc<dyn HttpClient>, permissions: Arc<Permissions>) -> Self {
        self.web = Some(Web { client, permissions });
        self
    }

    /// Answers a question as of a block.
    pub(crate) fn answer(&self, block: &BlockReference, question: &Question) -> Result<Answer, ObserveError> {
        let chain = &self.chain;
        Ok(match question {
            Question::Call { to, data } => match chain.call(block, *to, data)? {
                Ok(returned) => Answer::Returned(returned),
                Err(reverted) => Answer::Reverted(reverted),
            },
            Question::Storage { account, slot } => Answer::Storage(chain.storage(block, *account, *slot)?),
            Question::Code { account } => Answer::Code(chain.code(block, *account)?),
            Question::Balance { account } => Answer::Balance(chain.balance(block, *account)?),
            Question::Logs { filter } => {
                check_filter(block, filter)?;
                Answer::Logs(chain.logs(block, filter)?)
            }
            Question::Header { number } => Answer::Header(chain.header(block, *number)?),
            Question::Http { request } => {
                let Some(web) = &self.web else { return Err(HttpRefusal::NoHosts.into()) };
                let request = web.permissions.permit(request)?;
                match web.client.send(&request)? {
                    Ok(response) => {
                        web.permissions.check_response(&request, &response)?;
                        Answer::Response(response)
                    }
                    Err(failure) => Answer::Failure(failure),
                }
            }
        })
    }
}

/// A filter without addresses, or over too many blocks, is work without bound for a node.
fn check_filter(block: &BlockReference, filter: &LogFilter) -> Result<(), ObserveError> {
    let LogFilter { addresses, topics, from_block, to_block } = filter;
    let is_too_many = |length| length > limits::FILTER_ALTERNATIVES;
    let blocks = to_block.checked_sub(*from_block);
    let detail = if addresses.is_empty() {
        "a filter without addresses".to_owned()
    } else if is_too_many(addresses.len()) || topics.iter().any(|topics| is_too_many(topics.len())) {
        format!("a filter with more than {} alternatives", limits::FILTER_ALTERNATIVES)
    } else if topics.len() > TOPICS {
        format!("a filter for {} topics; a log has at most {TOPICS}", topics.len())
    } else if *to_block > block.number {
        format!("a filter up to block {to_block}, which is after the reference block {}", block.number)
    } else if blocks.is_none_or(|blocks| blocks >= limits::FILTER_BLOCKS) {
        format!("a filter from block {from_block} to {to_block}; the most are {} blocks", limits::FILTER_BLOCKS)
    } else {
        return Ok(());
    };
    Err(ObserveError::Argument { import: "chain.logs", detail })
}
