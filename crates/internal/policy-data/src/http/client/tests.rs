//! The client against a server with TLS on this machine.

use super::{Resolver, WebClient};
use crate::{
    exchange::{HttpFailure, HttpHeader, HttpMethod, HttpRequest, HttpResponse},
    http::{HttpClient, HttpRefusal, Permissions, Secrets},
    limits,
};
use alloy_primitives::B256;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};
use zeroize::Zeroizing;

const POLICY_ID: B256 = B256::ZERO;

struct Server {
    runtime: Runtime,
    address: SocketAddr,
    certificate: Certificate,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["api.example".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(acceptor.clone(), stream));
            }
        });
        let certificate = Certificate::from_der(cert.der()).unwrap();
        Self { runtime, address, certificate, connections }
    }

    /// A client for which names have these addresses. That of this server counts as public.
    fn client(&self, addresses: &[(&str, &[SocketAddr])]) -> WebClient {
        let addresses = addresses.iter().map(|(name, found)| ((*name).to_owned(), found.to_vec())).collect();
        let resolver = Resolver::Fixed { addresses, server: Some(self.address) };
        let builder = Client::builder().tls_certs_only([self.certificate.clone()]);
        WebClient::build(self.runtime.handle().clone(), resolver, builder).unwrap()
    }

    fn send(&self, url: &str) -> Result<Result<HttpResponse, HttpFailure>, HttpRefusal> {
        send(&self.client(&[("api.example", &[self.address])]), url)
    }
}

/// Does what the request's path says.
async fn serve(acceptor: TlsAcceptor, stream: TcpStream) -> Option<()> {
    let mut stream = acceptor.accept(stream).await.ok()?;
    let mut request = vec![];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut buffer = [0; 1024];
        let length = stream.read(&mut buffer).await.ok().filter(|length| *length > 0)?;
        request.extend_from_slice(&buffer[..length]);
    }
    let request = String::from_utf8(request).ok()?;
    let path = request.split(' ').nth(1)?.to_owned();
    let answer = |headers: &str, body: &[u8]| {
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
        [head.into_bytes(), body.to_vec()].concat()
    };
    let bytes = match path.as_str() {
        "/headers" => answer("x-one: 1\r\nset-cookie: a=b\r\n", request.to_lowercase().as_bytes()),
        "/redirect" => b"HTTP/1.1 302 Found\r\nlocation: /headers\r\ncontent-length: 0\r\n\r\n".to_vec(),
        "/binary" => answer("", &[0xff, 0xfe]),
        "/most" => answer("", &vec![b'x'; limits::ANSWER_BYTES - 100]),
        "/large" => answer("", &vec![b'x'; limits::ANSWER_BYTES + 1]),
        // It says that it has 1 GiB, and sends without end.
        "/endless" => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";
            stream.write_all(head).await.ok()?;
            loop {
                stream.write_all(&[b'x'; 65536]).await.ok()?;
            }
        }
        "/slow" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n").await.ok()?;
            loop {
                tokio::time::sleep(Duration::from_millis(300)).await;
                stream.write_all(b"x").await.ok()?;
            }
        }
        "/broken" => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx".to_vec(),
        _ => answer("", b"{}"),
    };
    stream.write_all(&bytes).await.ok()?;
    stream.shutdown().await.ok()
}

fn send(client: &WebClient, url: &str) -> Result<Result<HttpResponse, HttpFailure>, HttpRefusal> {
    let mut secrets = Secrets::default();
    let value = Zeroizing::new("correct-horse".to_owned());
    secrets.insert("KEY", "api.example", POLICY_ID, value).unwrap();
    let permissions = Permissions::new(["api.example", "other.example"], POLICY_ID, secrets.into()).unwrap();
    let headers = if url.starts_with("https://api.example/") {
        vec![HttpHeader { name: "x-key".to_owned(), value: "<{{secret:KEY}}>".to_owned() }]
    } else {
        vec![]
    };
    let request = HttpRequest { method: HttpMethod::Get, url: url.to_owned(), headers, body: None };
    client.send(&permissions.permit(&request).unwrap())
}

#[test]
fn an_answer_has_status_headers_and_body() {
    let server = Server::start();
    let response = server.send("https://api.example/headers?a=b").unwrap().unwrap();
    assert_eq!(response.status, 200);
    // The path has a query, so the server does not know it.
    assert_eq!(response.body, "{}");

    let response = server.send("https://api.example/headers").unwrap().unwrap();
    for expected in
        ["get /headers http/1.1", "host: api.example", "x-key: <correct-horse>", "accept-encoding: identity"]
    {
        assert!(response.body.contains(expected), "{}", response.body);
    }
    let names: Vec<_> = response.headers.iter().map(|header| header.name.as_str()).collect();
    assert_eq!(names, ["connection", "content-length", "x-one"]);
}

#[test]
fn redirects_are_not_followed() {
    let server = Server::start();
    let response = server.send("https://api.example/redirect").unwrap().unwrap();
    assert_eq!((response.status, response.body.as_str()), (302, ""));
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn an_answer_has_limits() {
    let server = Server::start();
    assert!(server.send("https://api.example/most").unwrap().is_ok());
    for (path, expected) in [
        ("large", HttpFailure::TooLarge),
        ("endless", HttpFailure::TooLarge),
        ("binary", HttpFailure::NotText),
        ("broken", HttpFailure::Unreachable),
    ] {
        let failure = server.send(&format!("https://api.example/{path}")).unwrap().unwrap_err();
        assert_eq!(failure, expected, "{path}");
    }
    let started = Instant::now();
    assert_eq!(server.send("https://api.example/slow").unwrap(), Err(HttpFailure::Timeout));
    assert!(started.elapsed() < limits::ANSWER_TIME + Duration::from_secs(3));
}

#[test]
fn a_host_must_have_its_certificate() {
    let server = Server::start();
    let client = server.client(&[("api.example", &[server.address]), ("other.example", &[server.address])]);
    assert!(send(&client, "https://api.example/").unwrap().is_ok());
    assert_eq!(send(&client, "https://other.example/").unwrap(), Err(HttpFailure::Unreachable));
    // The system's roots do not know the server.
    let addresses = [("api.example".to_owned(), vec![server.address])].into();
    let resolver = Resolver::Fixed { addresses, server: Some(server.address) };
    let client = WebClient::build(server.runtime.handle().clone(), resolver, Client::builder()).unwrap();
    assert_eq!(send(&client, "https://api.example/").unwrap(), Err(HttpFailure::Unreachable));
}

#[test]
fn names_with_an_address_that_is_not_public_are_refused() {
    let server = Server::start();
    let address = |text: &str| SocketAddr::new(text.parse::<IpAddr>().unwrap(), 0);
    for text in [
        "169.254.169.254",
        "127.0.0.1",
        "10.0.0.1",
        "100.64.0.1",
        "::1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fd00:ec2::254",
        "224.0.0.1",
    ] {
        // Also if another address of the name is permitted.
        let client = server.client(&[("api.example", &[server.address, address(text)])]);
        let expected = HttpRefusal::AddressNotPublic { host: "api.example".to_owned(), address: text.parse().unwrap() };
        assert_eq!(send(&client, "https://api.example/").unwrap_err(), expected);
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[test]
fn the_systems_resolver_is_checked() {
    let runtime = Runtime::new().unwrap();
    let client = WebClient::new(runtime.handle().clone()).unwrap();
    let permissions = Permissions::new(["localhost.example"], POLICY_ID, Arc::default()).unwrap();
    let request = HttpRequest {
        method: HttpMethod::Get,
        url: "https://localhost.example/".to_owned(),
        headers: vec![],
        body: None,
    };
    // A name that is reserved, and has no address.
    assert_eq!(client.send(&permissions.permit(&request).unwrap()), Ok(Err(HttpFailure::Unreachable)));
    // Not one that a manifest can name, but one that every system resolves to a loopback address.
    let resolved = runtime.block_on(Resolver::System.addresses("localhost")).unwrap();
    assert!(!resolved.is_empty() && !resolved.iter().any(|address| Resolver::System.is_permitted(address)));
}
