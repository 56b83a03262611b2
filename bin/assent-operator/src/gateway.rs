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
    tungstenite::{
        Message,
        protocol::{CloseFrame, WebSocketConfig},
    },
};

use crate::{
    fair_queue::Share,
    gateway_address::GatewayAddress,
    inputs::{DriverHandle, Ended, Held, Input},
    link_sender::{LinkSender, Outgoing},
    metrics::OperatorMetrics,
};

/// How long a connection may take to open, with TLS and WebSocket.
const OPENING: Duration = Duration::from_secs(10);
/// The wait before the second attempt to connect. It doubles with each further one.
const SHORTEST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait between two attempts to connect.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long a connection must last so that the next attempt comes as soon as after the first.
///
/// A gateway that closes each one at once is dialled as seldom as one that cannot be reached.
const LASTING: Duration = Duration::from_secs(1);
/// The wait before a gateway is dialled again that sent what no honest one sends.
const BARRED: Duration = Duration::from_secs(600);
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
        let share: Share = self.address.name().into();
        let mut wait = SHORTEST_WAIT;
        loop {
            let start = Instant::now();
            let ended = match self.open().await {
                Ok(stream) => self.serve(&share, stream).await,
                Err(error) => {
                    self.metrics.connection_failures.inc();
                    let hint = self.address.hint();
                    self.driver.log(&format!("cannot connect to the gateway {}: {error:#}{hint}", self.address));
                    Ended::default()
                }
            };
            if ended.is_barred {
                let minutes = BARRED.as_secs() / 60;
                self.driver.log(&format!("the gateway {} is not dialled for {minutes} minutes", self.address));
                sleep(BARRED).await;
            }
            let (pause, next) = waits(wait, ended.was_welcome.then(|| start.elapsed()));
            wait = next;
            sleep(jittered(pause)).await;
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
                    Box::new(self.tls.connect(host, stream).await.map_err(tls_failed)?)
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

    /// Carries messages both ways until either side closes. Returns how the connection ended.
    async fn serve(&self, share: &Share, stream: WebSocketStream<Box<dyn Stream>>) -> Ended {
        let link = self.driver.next_link();
        let (sender, outgoing) = LinkSender::new();
        let opened = Input::LinkOpened { link, gateway: self.address.clone(), sender };
        self.driver.send(share, opened);
        self.metrics.connections.inc();
        let result = self.carry(share, link, stream, outgoing).await;
        self.metrics.connections.dec();
        let ended = self.driver.close(share, link).await;
        if let Err(error) = result {
            let hint = if ended.was_welcome { "" } else { self.address.hint() };
            self.driver.log(&format!("the connection to the gateway {} ended: {error:#}{hint}", self.address));
        }
        ended
    }

    async fn carry(
        &self,
        share: &Share,
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
                            self.driver.happened(share, event, Held::Message(permit));
                        }
                        Message::Binary(_) => bail!("the gateway sent a binary frame"),
                        Message::Close(frame) => bail!("{}", closed(frame.as_ref())),
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

/// Says that a gateway closed a connection, with the reason that it gave. Only plain text of it reaches the log.
fn closed(frame: Option<&CloseFrame>) -> String {
    let is_plain = |letter: &char| letter.is_ascii_graphic() || *letter == ' ';
    let reason: String = frame.iter().flat_map(|frame| frame.reason.chars()).filter(is_plain).collect();
    match reason.trim() {
        "" => "the gateway closed it".to_owned(),
        reason => format!("the gateway closed it: {reason}"),
    }
}

/// Says why TLS failed, and what to do.
fn tls_failed(error: std::io::Error) -> anyhow::Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    let advice = match cause {
        Some(rustls::Error::InvalidMessage(_)) => "TLS: the gateway speaks something else; is its URL one with ws://?",
        Some(rustls::Error::InvalidCertificate(_)) => {
            "TLS: the gateway's certificate is not trusted; gateway-certificates has the authorities that are"
        }
        _ => "TLS",
    };
    anyhow!(error).context(advice)
}

type Sink = SplitSink<WebSocketStream<Box<dyn Stream>>, Message>;

async fn write(sink: &mut Sink, message: Message) -> Result<()> {
    match timeout(SENDING, sink.send(message)).await {
        Ok(sent) => Ok(sent?),
        Err(_elapsed) => bail!("the gateway took no message for {} s", SENDING.as_secs()),
    }
}

/// Returns the wait before the next attempt to connect, and the one after it. A connection that a gateway accepted may
/// have lasted for some time.
fn waits(wait: Duration, accepted_for: Option<Duration>) -> (Duration, Duration) {
    let has_lasted = accepted_for.is_some_and(|time| time >= LASTING);
    let wait = if has_lasted { SHORTEST_WAIT } else { wait };
    (wait, wait.saturating_mul(2).min(LONGEST_WAIT))
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
    use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

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
    fn a_gateway_s_reason_is_shown_as_plain_text() {
        let frame = |reason: &str| CloseFrame { code: CloseCode::Policy, reason: reason.into() };
        let shown = |reason: &str| closed(Some(&frame(reason)));
        assert_eq!(shown("0x01 did not prove a key"), "the gateway closed it: 0x01 did not prove a key");
        assert_eq!(shown("\u{1b}[2Jgone\n\u{202e}"), "the gateway closed it: [2Jgone");
        assert_eq!((shown(" "), closed(None)), ("the gateway closed it".into(), "the gateway closed it".into()));
    }

    #[test]
    fn a_url_without_a_path_and_failed_tls_have_an_advice() {
        let hint = |url: &str| url.parse::<GatewayAddress>().unwrap().hint();
        assert!(hint("wss://gateway.example").contains("/operators"));
        assert_eq!((hint("wss://gateway.example/operators"), hint("wss://gateway.example/a")), ("", ""));
        let failed = |error: rustls::Error| format!("{:#}", tls_failed(std::io::Error::other(error)));
        assert!(failed(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)).contains("ws://"));
        let untrusted = failed(rustls::CertificateError::UnknownIssuer.into());
        assert!(untrusted.contains("gateway-certificates") && !untrusted.contains("ws://"), "{untrusted}");
    }

    /// Otherwise a gateway could have the operator connect, and sign its challenges, without end.
    #[test]
    fn a_gateway_that_closes_at_once_is_dialled_ever_more_seldom() {
        let (mut wait, mut total) = (SHORTEST_WAIT, Duration::ZERO);
        for _ in 0..20 {
            let (pause, next) = waits(wait, Some(Duration::from_millis(5)));
            (wait, total) = (next, total + pause);
        }
        assert!(wait == LONGEST_WAIT && total > 12 * LONGEST_WAIT, "{total:?}");
        // As seldom as one that cannot be reached, until a connection lasts.
        assert_eq!(waits(wait, None), (LONGEST_WAIT, LONGEST_WAIT));
        assert_eq!(waits(wait, Some(LASTING)), (SHORTEST_WAIT, 2 * SHORTEST_WAIT));
    }

    #[test]
    fn waits_differ_and_are_bounded() {
        let waits: Vec<_> = (0..64).map(|_| jittered(LONGEST_WAIT)).collect();
        assert!(waits.iter().all(|wait| (LONGEST_WAIT / 2..=LONGEST_WAIT).contains(wait)));
        assert!(waits.iter().any(|wait| wait != &waits[0]));
    }
}
