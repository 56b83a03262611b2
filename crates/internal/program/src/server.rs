//! HTTP connections: accepted, bounded, with TLS if there is a certificate.

use core::convert::Infallible;
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{
        HeaderValue, Response, StatusCode,
        header::{CONNECTION, RETRY_AFTER},
    },
};
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

use crate::shares::{Share, Shares};

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
pub struct ConnectionPermit(Arc<Held>);

#[derive(Debug)]
struct Held {
    permit: Mutex<Permit>,
    #[expect(dead_code, reason = "held until it is dropped")]
    address: Option<Share<IpAddr>>,
}

#[derive(Debug)]
enum Permit {
    /// One of those for every request.
    General(#[expect(dead_code, reason = "held until it is dropped")] OwnedSemaphorePermit),
    /// One of the reserve.
    Reserved(#[expect(dead_code, reason = "held until it is dropped")] Share<IpAddr>),
}

/// The connections that are served at the same time.
#[derive(Clone)]
pub struct Connections {
    most: u32,
    permits: Arc<Semaphore>,
    reserve: Option<Reserve>,
    addresses: Option<Shares<IpAddr>>,
    on_refusal: Arc<dyn Fn() + Send + Sync>,
}

/// Connections beyond the others, for the requests of one path.
#[derive(Clone)]
struct Reserve {
    path: &'static str,
    shares: Shares<IpAddr>,
}

impl Connections {
    /// Allows a number of connections.
    pub fn new(most: usize) -> Self {
        let most = u32::try_from(most.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        let permits = Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS)));
        Self { most, permits, reserve: None, addresses: None, on_refusal: Arc::new(|| {}) }
    }

    /// Allows each address only some of the connections. Further ones are closed at once, and told to `on_refusal`.
    #[must_use]
    pub fn with_address_limit(self, each: usize, on_refusal: impl Fn() + Send + Sync + 'static) -> Self {
        Self { addresses: Some(Shares::new(usize::MAX, each)), on_refusal: Arc::new(on_refusal), ..self }
    }

    /// Allows further connections for the requests of a path, while all others are in use. Each address has at most
    /// `each` of them.
    ///
    /// They end with the first request: a WebSocket has to have its own limit. Other paths are answered with status
    /// 503.
    #[must_use]
    pub fn with_reserve(self, path: &'static str, total: usize, each: usize) -> Self {
        Self { reserve: Some(Reserve { path, shares: Shares::new(total, each) }), ..self }
    }

    /// Waits until no connection is left, apart from the reserve. No further one can begin.
    pub async fn ended(&self) {
        if let Ok(permits) = self.permits.acquire_many(self.most).await {
            permits.forget();
        }
    }

    /// Returns a permit for a connection of an address, if it may have one.
    fn admit(&self, permit: Option<OwnedSemaphorePermit>, address: IpAddr) -> Option<ConnectionPermit> {
        let address = counted_address(address);
        let held = self.addresses.as_ref().map(|addresses| addresses.take(address, 1)).transpose().ok()?;
        let permit = match permit.or_else(|| self.general()) {
            Some(permit) => Permit::General(permit),
            None => Permit::Reserved(self.reserve.as_ref()?.shares.take(address, 1).ok()?),
        };
        Some(ConnectionPermit(Arc::new(Held { permit: Mutex::new(permit), address: held })))
    }

    fn general(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }

    /// Returns a permit for the next connection, or nothing if it is one of the reserve.
    async fn next(&self) -> Option<OwnedSemaphorePermit> {
        match &self.reserve {
            None => Arc::clone(&self.permits).acquire_owned().await.ok(),
            Some(_) => self.general(),
        }
    }

    /// Returns whether a connection may make a request of a path.
    fn allows(&self, permit: &ConnectionPermit, path: &str) -> bool {
        let mut held = permit.0.permit.lock().unwrap_or_else(PoisonError::into_inner);
        let is_general = matches!(*held, Permit::General(_));
        if is_general || self.reserve.as_ref().is_some_and(|reserve| reserve.path == path) {
            return true;
        }
        let Some(general) = self.general() else { return false };
        *held = Permit::General(general);
        true
    }
}

impl ConnectionPermit {
    fn is_reserved(&self) -> bool {
        matches!(*self.0.permit.lock().unwrap_or_else(PoisonError::into_inner), Permit::Reserved(_))
    }
}

/// Returns the address by which a caller is counted. Who has one of IPv6 has 2^64 of them.
pub fn counted_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

/// Serves connections until `stopping` says so. Each holds a part of `connections` until it ends.
///
/// A request's header and a TLS handshake may take 10 seconds, and a header has at most 32 KiB.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    connections: Connections,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        // Without a permit or a reserve, connections wait where the system queues them.
        let permit = tokio::select! {
            permit = connections.next() => permit,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Some(permit) = connections.admit(permit, peer.ip()) else {
            (connections.on_refusal)();
            continue;
        };
        let served = Served { connections: connections.clone(), router: router.clone(), permit, peer };
        tokio::spawn(served.serve(stream, tls.clone(), stopping.clone()));
    }
}

/// A connection that is served.
struct Served {
    connections: Connections,
    router: Router,
    permit: ConnectionPermit,
    peer: SocketAddr,
}

impl Served {
    async fn serve(self, stream: TcpStream, tls: Option<TlsAcceptor>, stopping: watch::Receiver<bool>) {
        // Answers are small, and callers wait for them.
        let _ = stream.set_nodelay(true);
        match tls {
            None => self.requests(stream, stopping).await,
            Some(tls) => {
                if let Ok(Ok(stream)) = timeout(LONGEST_HEADER, tls.accept(stream)).await {
                    self.requests(stream, stopping).await;
                }
            }
        }
    }

    async fn requests<S>(self, stream: S, mut stopping: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let is_allowed = self.connections.allows(&self.permit, request.uri().path());
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(self.peer));
            request.extensions_mut().insert(self.permit.clone());
            let (permit, mut router) = (self.permit.clone(), self.router.clone());
            async move {
                if !is_allowed {
                    return Ok(too_many_connections());
                }
                // A router is always ready.
                let mut response = router.call(request).await?;
                if permit.is_reserved() {
                    response.headers_mut().entry(CONNECTION).or_insert(HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            }
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
}

fn too_many_connections() -> Response<Body> {
    let mut response = Response::new(Body::from("there are too many connections; try again in a second\n"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
