//! Session keys of terminals, as far as REST may ask for them.

use directory::TerminalName;
use futures::future::BoxFuture;
use host_commands::HsmError;

use crate::error::{ApiError, ErrorCode};

/// Who makes session keys: the switch, which has to know them before the terminal does.
pub trait SessionKeys: Send + Sync {
    /// Makes a new pair, which waits for its first use; the old one serves until then.
    fn renew<'a>(&'a self, terminal: &'a TerminalName) -> BoxFuture<'a, Result<NewSessionKeys, SessionKeyError>>;
}

/// A pair under the terminal's master key, in the form of its key scheme.
pub struct NewSessionKeys {
    pub pin_key: String,
    pub pin_key_check_value: String,
    pub mac_key: String,
    pub mac_key_check_value: String,
}

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
pub enum SessionKeyError {
    #[error("the switch does not know the terminal yet; try again in a moment")]
    NotThere,
    #[error("the keys could not be stored")]
    NotStored,
    #[error(transparent)]
    Hsm(#[from] HsmError),
}

impl From<SessionKeyError> for ApiError {
    fn from(error: SessionKeyError) -> Self {
        match error {
            SessionKeyError::Hsm(error) => error.into(),
            other => Self::new(ErrorCode::Downstream, other.to_string()),
        }
    }
}

impl From<HsmError> for ApiError {
    fn from(error: HsmError) -> Self {
        tracing::error!(%error, "HSM does not do what is asked");
        Self::new(ErrorCode::Downstream, "the HSM does not answer as it should; try again later")
    }
}
