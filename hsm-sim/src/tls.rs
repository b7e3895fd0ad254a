//! TLS for the host port, with clients known by their certificates where that is asked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig, crypto};

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {0} as PEM: {1}; name the certificate chain, the key and the clients' authority")]
    Pem(PathBuf, rustls::pki_types::pem::Error),
    #[error("certificate and key do not fit: {0}")]
    Mismatch(rustls::Error),
    #[error("the clients' authority is of no use: {0}")]
    Authority(String),
}

/// A server with a certificate chain and its key; with `clients`, only for those whose certificates an authority of that
/// file has signed.
pub fn server_config(chain: &Path, key: &Path, clients: Option<&Path>) -> Result<Arc<ServerConfig>, TlsError> {
    let pem = |path: &Path| {
        let path = path.to_owned();
        move |error| TlsError::Pem(path, error)
    };
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Mismatch)?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path).map_err(pem(path))? {
                roots.add(certificate).map_err(|error| TlsError::Authority(error.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| TlsError::Authority(error.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let chain = certificates(chain).map_err(pem(chain))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(pem(key))?;
    Ok(Arc::new(builder.with_single_cert(chain, key).map_err(TlsError::Mismatch)?))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    CertificateDer::pem_file_iter(path)?.collect()
}
