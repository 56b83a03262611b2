//! TLS to gateways.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_rustls::TlsConnector;

/// Returns what opens TLS connections to servers of public authorities, and of those in a file.
pub(crate) fn connector(certificates: Option<&Path>) -> Result<TlsConnector> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = certificates {
        let shown = path.display();
        let mut added = 0;
        let file =
            CertificateDer::pem_file_iter(path).with_context(|| format!("cannot read the certificates {shown}"))?;
        for certificate in file {
            let certificate = certificate.with_context(|| format!("the certificates {shown} are not PEM"))?;
            roots.add(certificate).with_context(|| format!("the certificates {shown}"))?;
            added += 1;
        }
        ensure!(
            added > 0,
            "the file {shown} has no certificate; give PEM, which begins with -----BEGIN CERTIFICATE-----"
        );
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
