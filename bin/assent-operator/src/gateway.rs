//! Connections to gateways.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};
use assent_network::{LinkId, message::MAX_MESSAGE, operator::Event};
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{Semaphore, mpsc},
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use crate::{
    gateway_address::GatewayAddress,
    inputs::{DriverHandle, Input},
    link_sender::{LinkSender, Outgoing},
    metrics::OperatorMetrics,
};

/// How long a connection may take to open, with TLS and WebSocket.
const OPENING: Duration = Duration::from_secs(10);
/// The wait before the second attempt to connect. It doubles with each further one.
const SHORTEST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait between two attempts to connect.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long a connection may be silent before it is asked whether it is there, and then before it is closed.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a message may take to be sent.
const SENDING: Duration = Duration::from_secs(10);
/// The most messages of a gateway that are not handled yet. Then nothing more is read from it.
const RECEIVED: usize = 32;

/// What keeps the connection to one gateway.
pub(crate) struct Dialer {
    pub address: GatewayAddress,
    pub tls: TlsConnector,
    pub driver: DriverHandle,
    pub metrics: Arc<OperatorMetrics>,
}

impl Dialer {
    /// Connects, and connects again, until the task is dropped.
    pub(crate) async fn run(self) {
        let mut wait = SHORTEST_WAIT;
        loop {
            let was_welcome = match self.open().await {
                Ok(stream) => self.serve(stream).await,
                Err(error) => {
                    self.metrics.connection_failures.inc();
                    self.driver.log(&format!("cannot connect to the gateway {}: {error:#}", self.address));
                    false
                }
            };
            if was_welcome {
                wait = SHORTEST_WAIT;
            }
            sleep(jittered(wait)).await;
            wait = wait.saturating_mul(2).min(LONGEST_WAIT);
        }
    }

    async fn open(&self) -> Result<WebSocketStream<Box<dyn Stream>>> {
        let opening = async {
            let stream = TcpStream::connect(self.address.name()).await?;
            stream.set_nodelay(true)?;
            let stream: Box<dyn Stream> = match self.address.url.scheme() {
                "wss" => {
                    let host = self.address.url.host_str().unwrap_or_default();
                    let host = host.trim_start_matches('[').trim_end_matches(']');
                    let host = ServerName::try_from(host.to_owned()).context("the host has no name for TLS")?;
                    Box::new(self.tls.connect(host, stream).await.context("TLS")?)
                }
                _ => Box::new(stream),
            };
            let limits = WebSocketConfig::default()
                .max_message_size(Some(MAX_MESSAGE))
                .max_frame_size(Some(MAX_MESSAGE))
                .max_write_buffer_size(4 * MAX_MESSAGE);
            let (stream, _response) = client_async_with_config(self.address.url.as_str(), stream, Some(limits)).await?;
            Ok(stream)
        };
        timeout(OPENING, opening).await.map_err(|_elapsed| anyhow!("no answer within {} s", OPENING.as_secs()))?
    }

    /// Carries messages both ways until either side closes. Returns whether the gateway accepted the operator.
    async fn serve(&self, stream: WebSocketStream<Box<dyn Stream>>) -> bool {
        let link = self.driver.next_link();
        let (sender, outgoing) = LinkSender::new();
        let opened = Input::LinkOpened { link, gateway: self.address.clone(), sender };
        self.driver.send(opened);
        self.metrics.connections.inc();
        let ended = self.carry(link, stream, outgoing).await;
        if let Err(error) = ended {
            self.driver.log(&format!("the connection to the gateway {} ended: {error:#}", self.address));
        }
        self.metrics.connections.dec();
        self.driver.close(link).await
    }

    async fn carry(
        &self,
        link: LinkId,
        stream: WebSocketStream<Box<dyn Stream>>,
        mut outgoing: mpsc::Receiver<Outgoing>,
    ) -> Result<()> {
        let (mut sink, mut stream) = stream.split();
        let unhandled = Arc::new(Semaphore::new(RECEIVED));
        let mut heard = Instant::now();
        let mut asked = false;
        loop {
            let permit = Arc::clone(&unhandled).acquire_owned();
            tokio::select! {
                message = async { (permit.await, stream.next().await) } => {
                    heard = Instant::now();
                    asked = false;
                    let (Ok(permit), Some(message)) = message else { bail!("the gateway closed it") };
                    match message? {
                        Message::Text(text) => {
                            let message = text.as_bytes().to_vec();
                            let event = Event::Received { link, message };
                            self.driver.happened(event, Some(permit));
                        }
                        Message::Binary(_) => bail!("the gateway sent a binary frame"),
                        Message::Close(_) => bail!("the gateway closed it"),
                        // A ping is answered by the library.
                        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                    }
                }
                message = outgoing.recv() => match message {
                    Some(Outgoing::Message(message)) => write(&mut sink, Message::text(message)).await?,
                    Some(Outgoing::Close(reason)) => {
                        write(&mut sink, Message::Close(None)).await?;
                        bail!("{reason}");
                    }
                    None => {
                        let _ = write(&mut sink, Message::Close(None)).await;
                        return Ok(());
                    }
                },
                () = tokio::time::sleep_until(heard + SILENCE), if !asked => {
                    asked = true;
                    write(&mut sink, Message::Ping(Default::default())).await?;
                }
                () = tokio::time::sleep_until(heard + 2 * SILENCE), if asked => bail!("the gateway is silent"),
            }
        }
    }
}

type Sink = SplitSink<WebSocketStream<Box<dyn Stream>>, Message>;

async fn write(sink: &mut Sink, message: Message) -> Result<()> {
    match timeout(SENDING, sink.send(message)).await {
        Ok(sent) => Ok(sent?),
        Err(_elapsed) => bail!("the gateway took no message for {} s", SENDING.as_secs()),
    }
}

/// Returns a random time between half of a wait and all of it, so that operators do not return all at once.
fn jittered(wait: Duration) -> Duration {
    let mut random = [0; 1];
    // Without randomness the wait is whole.
    let part = getrandom::fill(&mut random).map_or(u32::from(u8::MAX), |()| u32::from(u8::from_le_bytes(random)));
    wait / 2 + wait / 2 * part / u32::from(u8::MAX)
}

/// Bytes both ways, with TLS or without.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_named_by_host_and_port() {
        for (url, name) in [
            ("wss://gateway.example/operators", "gateway.example:443"),
            ("ws://gateway.example", "gateway.example:80"),
            ("ws://127.0.0.1:8787/operators", "127.0.0.1:8787"),
            ("wss://[::1]:9/operators", "[::1]:9"),
        ] {
            assert_eq!(url.parse::<GatewayAddress>().unwrap().name(), name);
        }
        for url in ["https://gateway.example", "gateway.example:443", "wss://", ""] {
            let error = url.parse::<GatewayAddress>().unwrap_err().to_string();
            assert!(error.contains("give one such as wss://"), "{error}");
        }
    }

    #[test]
    fn waits_differ_and_are_bounded() {
        let waits: Vec<_> = (0..64).map(|_| jittered(LONGEST_WAIT)).collect();
        assert!(waits.iter().all(|wait| (LONGEST_WAIT / 2..=LONGEST_WAIT).contains(wait)));
        assert!(waits.iter().any(|wait| wait != &waits[0]));
    }
}
