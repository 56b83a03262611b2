//! The signal that ends a program.

#[cfg(unix)]
use anyhow::Context as _;
use anyhow::Result;

/// Returns a future that completes when the process is asked to stop, by SIGTERM or SIGINT.
///
/// Must be called inside a tokio runtime. From then on, the signals do not end the process by themselves.
///
/// # Errors
///
/// The system does not deliver the signals.
#[cfg(unix)]
pub fn stop_signal() -> Result<impl Future<Output = ()>> {
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

/// Returns a future that completes when the process is asked to stop.
///
/// # Errors
///
/// None.
#[cfg(not(unix))]
pub fn stop_signal() -> Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
