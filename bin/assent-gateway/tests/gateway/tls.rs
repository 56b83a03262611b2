//! TLS with a certificate and a key in files.

use std::process::Command;

use assent_gateway::GatewayConfig;

use crate::world::{TestGateway, run, world};

const CALL: &str = r#"{"jsonrpc": "2.0", "method": "assent_operators", "id": 1}"#;

/// Makes a certificate for 127.0.0.1 and its key. Returns whether that is possible.
fn make_certificate(folder: &std::path::Path) -> bool {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("chain.pem"))
        .output();
    let is_made = made.is_ok_and(|output| output.status.success());
    if !is_made {
        eprintln!("skipped: there is no openssl to make a certificate; Debian has it: apt-get install openssl");
    }
    is_made
}

#[test]
fn with_a_certificate_the_gateway_speaks_tls() {
    let folder = tempfile::tempdir().unwrap();
    if !make_certificate(folder.path()) {
        return;
    }
    run(async {
        let (certificate, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        let gateway = TestGateway::with(|options| {
            (options.tls_certificate, options.tls_key) = (Some(certificate.clone()), Some(key.clone()));
        })
        .await;
        let trusted = reqwest::Certificate::from_pem(&std::fs::read(&certificate).unwrap()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([trusted]).build().unwrap();
        let url = format!("https://{}", gateway.gateway.address());
        let post = |client: &reqwest::Client, url: &str| {
            client.post(url).header("content-type", "application/json").body(CALL).send()
        };
        assert_eq!(post(&client, &url).await.unwrap().status(), 200);
        // Without TLS, and without trust in the certificate, there is no answer.
        assert!(post(&client, &gateway.url).await.is_err());
        assert!(post(&reqwest::Client::new(), &url).await.is_err());
        drop(gateway);

        // What is no certificate, or another one's key, is found at the start.
        let start = async |certificate, key| {
            let folder = tempfile::tempdir().unwrap();
            let mut options = world().await.options(folder.path());
            (options.tls_certificate, options.tls_key) = (Some(certificate), Some(key));
            let started = assent_gateway::start(GatewayConfig::new(options).unwrap()).await;
            started.err().map(|error| format!("{error:#}")).unwrap()
        };
        assert!(start(key.clone(), key.clone()).await.contains("has no certificate"));
        assert!(start(certificate.clone(), certificate.clone()).await.contains("has no private key"));
        let other = tempfile::tempdir().unwrap();
        assert!(make_certificate(other.path()));
        assert!(start(certificate, other.path().join("key.pem")).await.contains("does not fit"));
    });
}
