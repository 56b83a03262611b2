//! HTTP connections: accepted, bounded, with TLS if there is a certificate.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

/// How long the header of a request, and a TLS handshake, may take.
const LONGEST_HEADER: Duration = Duration::from_secs(10);
/// The most bytes of a request's header.
const MAX_HEADER: usize = 32 * 1024;
/// The wait after an error of the listener, for example too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The address of a connection's other end. Every request has it as an extension.
// Complete: it is the address.
#[derive(Debug, Clone, Copy)]
pub struct Peer(
    /// The address.
    pub SocketAddr,
);

/// A part of the connections that are allowed. Every request has it as an extension.
///
/// A WebSocket holds it as long as it lives.
#[derive(Debug, Clone)]
pub struct ConnectionPermit {
    #[expect(dead_code, reason = "held until it is dropped")]
    permit: Arc<OwnedSemaphorePermit>,
}

/// Serves connections until `stopping` says so. Each holds a part of `permits` until it ends.
///
/// A request's header and a TLS handshake may take 10 seconds, and a header has at most 32 KiB.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    permits: Arc<Semaphore>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        // Without a permit, connections wait where the system queues them.
        let permit = tokio::select! {
            permit = Arc::clone(&permits).acquire_owned() => permit,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        let Ok(permit) = permit else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        tokio::spawn(connection(stream, peer, tls.clone(), router.clone(), permit, stopping.clone()));
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    permit: OwnedSemaphorePermit,
    stopping: watch::Receiver<bool>,
) {
    // Answers are small, and callers wait for them.
    let _ = stream.set_nodelay(true);
    let permit = ConnectionPermit { permit: Arc::new(permit) };
    match tls {
        None => requests(stream, peer, router, permit, stopping).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(LONGEST_HEADER, tls.accept(stream)).await {
                requests(stream, peer, router, permit, stopping).await;
            }
        }
    }
}

async fn requests<S>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    permit: ConnectionPermit,
    mut stopping: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(permit.clone());
        // A router is always ready.
        router.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(LONGEST_HEADER)
        .max_buf_size(MAX_HEADER)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        // What a caller does wrong is not the program's error.
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    // The request that is answered now is answered; further ones are for another program.
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
