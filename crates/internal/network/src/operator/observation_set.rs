//! Observations that a gateway sent to decide on, and how many bytes of them are kept.

use std::sync::Arc;

use alloy_primitives::Address;
use assent_types::Signature;

use super::Operator;
use crate::{LinkId, message::AgreedOutput};

/// The most bytes of observations that are kept of one gateway's messages, and of all gateways'.
///
/// They are kept while a task is examined, observed or evaluated. What has no room comes again with the next offer.
const MAX_BYTES_OF_GATEWAY: usize = 8 << 20;
const MAX_BYTES: usize = 32 << 20;

/// Observations to decide on, as a gateway sent them.
#[derive(Debug)]
pub(super) struct ObservationSet {
    /// The connection that they came on.
    pub(super) link: LinkId,
    /// The gateway's name.
    gateway: Arc<str>,
    pub(super) outputs: Vec<AgreedOutput>,
    /// The memory that they take.
    bytes: usize,
}

impl ObservationSet {
    pub(super) fn new(link: LinkId, gateway: Arc<str>, outputs: Vec<AgreedOutput>) -> Self {
        let bytes = outputs.iter().map(bytes_of).fold(0, usize::saturating_add);
        Self { link, gateway, outputs, bytes }
    }
}

fn bytes_of(output: &AgreedOutput) -> usize {
    let observers = output.observers.len().saturating_mul(size_of::<(Address, Signature)>());
    let texts = output.source.len().saturating_add(output.output.len());
    size_of::<AgreedOutput>().saturating_add(texts).saturating_add(observers)
}

impl<S> Operator<S> {
    /// Returns the bytes of observations that are kept of gateways' messages.
    pub fn kept_bytes(&self) -> usize {
        self.kept().map(|set| set.bytes).fold(0, usize::saturating_add)
    }

    /// Returns whether observations can be kept, besides those that are.
    pub(super) fn can_keep(&self, set: &ObservationSet) -> bool {
        let own = self.kept().filter(|kept| kept.gateway == set.gateway).map(|kept| kept.bytes);
        let own = own.fold(set.bytes, usize::saturating_add);
        own <= MAX_BYTES_OF_GATEWAY && self.kept_bytes().saturating_add(set.bytes) <= MAX_BYTES
    }

    fn kept(&self) -> impl Iterator<Item = &ObservationSet> {
        self.tasks.values().filter_map(|work| work.kept())
    }
}
