//! TLS to an HSM: its certificate checked against an authority, ours shown where it asks.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, crypto};

pub(crate) type TlsLink = TlsStream<TcpStream>;

/// How connections are made. Cheap to clone.
#[derive(Clone)]
pub struct ClientTls(TlsConnector);

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ClientTlsError {
    #[error("cannot read {0} as PEM: {1}; name the HSM's authority, and our certificate with its key")]
    Pem(PathBuf, pem::Error),
    #[error("the certificates are of no use: {0}")]
    Certificate(rustls::Error),
}

impl ClientTls {
    /// `authority`: certificates in PEM, one of which signed the HSM's. `identity`: our own chain and key, for an HSM that
    /// knows its hosts by them.
    pub fn new(authority: &Path, identity: Option<(&Path, &Path)>) -> Result<Self, ClientTlsError> {
        let pem = |path: &Path| {
            let path = path.to_owned();
            move |error| ClientTlsError::Pem(path, error)
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(authority).map_err(pem(authority))? {
            roots.add(certificate).map_err(ClientTlsError::Certificate)?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(ClientTlsError::Certificate)?
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let certificates = certificates(chain).map_err(pem(chain))?;
                let key = PrivateKeyDer::from_pem_file(key).map_err(pem(key))?;
                builder.with_client_auth_cert(certificates, key).map_err(ClientTlsError::Certificate)?
            }
        };
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// `address`: `host:port`; the host is what the certificate must be for.
    pub(crate) async fn connect(&self, address: &str, stream: TcpStream) -> std::io::Result<TlsLink> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
        let name = match host.parse::<IpAddr>() {
            Ok(address) => ServerName::from(address),
            Err(_) => ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?,
        };
        self.0.connect(name, stream).await
    }
}

impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientTls")
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    CertificateDer::pem_file_iter(path)?.collect()
}
