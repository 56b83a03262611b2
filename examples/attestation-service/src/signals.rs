//! Signals to the process.

use crate::{chain_context, ledger::Domain, worker::Reload};
use anyhow::{Context as _, Result, bail};
use std::{
    future::Future,
    path::{Path, PathBuf},
};
use tokio::task::JoinHandle;

/// Completes when the process is asked to stop.
#[cfg(unix)]
pub fn stop() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Completes when the process is asked to stop.
#[cfg(not(unix))]
pub fn stop() -> Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Reads the context again at each SIGHUP. One that cannot be read, or is of another domain, changes nothing.
#[cfg(unix)]
pub fn on_reload(path: PathBuf, domain: Domain, reload: Reload) -> Result<JoinHandle<()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    Ok(tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match read_again(&path, &domain, &reload) {
                Ok(()) => eprintln!("read {} again", path.display()),
                Err(error) => eprintln!("error: still going by the context read before: {error:#}"),
            }
        }
    }))
}

/// There is no signal for it: restart to have the context read again.
#[cfg(not(unix))]
pub fn on_reload(_: PathBuf, _: Domain, _: Reload) -> Result<JoinHandle<()>> {
    Ok(tokio::spawn(std::future::pending()))
}

#[cfg_attr(not(unix), allow(dead_code))]
fn read_again(path: &Path, domain: &Domain, reload: &Reload) -> Result<()> {
    let context = chain_context::read(path)?;
    if Domain::of(&context) != *domain {
        bail!("{} is now for another chain, TaskManager or client; that needs a separate ledger", path.display());
    }
    reload.reload(context);
    Ok(())
}
