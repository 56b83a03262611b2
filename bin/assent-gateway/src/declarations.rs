//! What operators declared on the chain, for people. It is read in the background, since no decision needs it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use alloy_primitives::Address;
use assent_chain_view::{ChainViewError, OperatorDeclaration};
use assent_verifier::{Epoch, OperatorSetId};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::preparing::Preparer;

/// How often it is looked whether there are other operators.
const LOOK: Duration = Duration::from_secs(5);
/// How often declarations are read again.
const READ: Duration = Duration::from_secs(600);
/// The most operators whose declarations are read and kept.
const MOST: usize = 1024;

/// What the operators of the epochs in force declared, by operator set.
pub(crate) type Declared = BTreeMap<(OperatorSetId, Address), OperatorDeclaration>;

/// The declarations that were read last.
#[derive(Debug, Default)]
pub(crate) struct Declarations(Mutex<Arc<Declared>>);

impl Declarations {
    /// Returns what was read last.
    pub(crate) fn get(&self) -> Arc<Declared> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads them when the operators change, and again now and then.
    pub(crate) async fn watch(self: Arc<Self>, preparer: Arc<Preparer>) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last: Option<(Instant, Arc<[Epoch]>)> = None;
        loop {
            ticks.tick().await;
            let Ok(epochs) = preparer.epochs().await else { continue };
            if last.as_ref().is_some_and(|(at, known)| *known == epochs && at.elapsed() < READ) {
                continue;
            }
            // What failed is tried again at the next tick.
            match read(&preparer, &epochs).await {
                Ok(declared) => {
                    *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(declared);
                    last = Some((Instant::now(), epochs));
                }
                Err(error) => eprintln!("error: declarations of operators: {error}"),
            }
        }
    }
}

async fn read(preparer: &Preparer, epochs: &[Epoch]) -> Result<Declared, ChainViewError> {
    let mut declared = Declared::new();
    let Some(head) = preparer.head() else { return Err(ChainViewError::NoBlock) };
    let view = preparer.view.at(head.block);
    let mut room = MOST;
    for epoch in epochs {
        let operators = epoch.operators.operators().iter().map(|operator| operator.address);
        // In a grace period, a set has two epochs.
        let unread = operators.filter(|operator| !declared.contains_key(&(epoch.operator_set, *operator)));
        let unread: Vec<Address> = unread.take(room).collect();
        room = room.saturating_sub(unread.len());
        let of_epoch = view.declarations(epoch.operator_set, unread).await?;
        declared
            .extend(of_epoch.into_iter().map(|(operator, declaration)| ((epoch.operator_set, operator), declaration)));
    }
    Ok(declared)
}
