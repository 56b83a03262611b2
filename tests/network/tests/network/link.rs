//! A link between an operator and a gateway that is long, stalls, and lets go again.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use assent_network_tests::random::Random;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep_until},
};

/// How many reads of a direction may be between its ends. Then the sender has to wait.
const IN_FLIGHT: usize = 1024;

/// What the link does to the bytes of either direction.
#[derive(Debug, Clone, Copy, Default)]
struct Behaviour {
    /// How long bytes take, at least.
    delay: Duration,
    /// How much longer they may take. None overtakes another.
    jitter: Duration,
    /// The connections up to this number deliver nothing to the gateway.
    stalled_to_gateway: u64,
    /// The connections up to this number deliver nothing to the operator.
    stalled_to_operator: u64,
}

/// A forwarder of connections to a gateway.
pub struct Link {
    /// What the operator dials.
    pub address: SocketAddr,
    behaviour: watch::Sender<Behaviour>,
    connections: Arc<AtomicU64>,
    server: JoinHandle<()>,
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy)]
enum Way {
    ToGateway,
    ToOperator,
}

impl Link {
    /// Starts it at an address of this machine. It neither delays nor stalls.
    pub async fn start(host: &str, gateway: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((host, 0)).await?;
        let address = listener.local_addr()?;
        let (behaviour, watched) = watch::channel(Behaviour::default());
        let connections = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&connections);
        let server = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((operator, _)) = accepted else { continue };
                        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
                        open.spawn(forward(operator, gateway, number, watched.clone()));
                    }
                    Some(_) = open.join_next() => {}
                }
            }
        });
        Ok(Self { address, behaviour, connections, server })
    }

    /// Delays the bytes of both directions from now on.
    pub fn delay(&self, delay: Duration, jitter: Duration) {
        self.behaviour.send_modify(|behaviour| (behaviour.delay, behaviour.jitter) = (delay, jitter));
    }

    /// Delivers no more to the gateway on the connections that exist.
    pub fn stall_to_gateway(&self) {
        self.behaviour.send_modify(|behaviour| behaviour.stalled_to_gateway = self.connections());
    }

    /// Delivers no more to the operator on the connections that exist.
    pub fn stall_to_operator(&self) {
        self.behaviour.send_modify(|behaviour| behaviour.stalled_to_operator = self.connections());
    }

    /// Delivers what waits, in order.
    pub fn release(&self) {
        self.behaviour.send_modify(|behaviour| {
            (behaviour.stalled_to_gateway, behaviour.stalled_to_operator) = (0, 0);
        });
    }

    /// Returns how many connections operators opened.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Carries bytes both ways until both ends are closed, or one of them takes no more.
async fn forward(operator: TcpStream, gateway: SocketAddr, number: u64, behaviour: watch::Receiver<Behaviour>) {
    let Ok(gateway) = TcpStream::connect(gateway).await else { return };
    if operator.set_nodelay(true).and(gateway.set_nodelay(true)).is_err() {
        return;
    }
    let (from_operator, to_operator) = operator.into_split();
    let (from_gateway, to_gateway) = gateway.into_split();
    let up = carry(from_operator, to_gateway, Way::ToGateway, number, behaviour.clone());
    let down = carry(from_gateway, to_operator, Way::ToOperator, number, behaviour);
    let _ = tokio::try_join!(up, down);
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    way: Way,
    number: u64,
    mut behaviour: watch::Receiver<Behaviour>,
) -> Result<()> {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(IN_FLIGHT);
    let delays = behaviour.clone();
    let read = async move {
        let mut random = Random::new(number);
        let mut bytes = vec![0; 16 * 1024];
        loop {
            // A connection that breaks ends as one that is closed does, and not earlier.
            let count = from.read(&mut bytes).await.unwrap_or(0);
            let Behaviour { delay, jitter, .. } = *delays.borrow();
            let jitter = jitter.mul_f64(f64::from(u32::try_from(random.below(1001))?) / 1000.0);
            let arrives = Instant::now() + delay + jitter;
            if sender.send((arrives, bytes[..count].to_vec())).await.is_err() || count == 0 {
                return Ok(());
            }
        }
    };
    let write = async move {
        while let Some((arrives, bytes)) = receiver.recv().await {
            sleep_until(arrives).await;
            let flows = |behaviour: &Behaviour| match way {
                Way::ToGateway => number > behaviour.stalled_to_gateway,
                Way::ToOperator => number > behaviour.stalled_to_operator,
            };
            behaviour.wait_for(flows).await?;
            match bytes.is_empty() {
                true => to.shutdown().await?,
                false => to.write_all(&bytes).await?,
            }
        }
        anyhow::Ok(())
    };
    tokio::try_join!(read, write).map(drop)
}
