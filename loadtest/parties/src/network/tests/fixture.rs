//! Two networks on loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use iso8583::{Fields, Message};
use payment_crypto::TdesKey;

use crate::network::zone::dialect;
use crate::{
    AcquirerSettings, AcquirerSide, Behaviour, CardProfile, IssuerCard, IssuerSettings, IssuerSide, KeyScheme, Repeats,
    Zone,
};

pub const PAN: &str = "9999980000000007";
/// Too long to be found in a STAN by chance.
pub const PIN: &str = "47119352";
pub const OPENING: i64 = 100_000;

pub fn zone_of(scheme: KeyScheme) -> Arc<Zone> {
    Arc::new(Zone::new("500001", TdesKey::from_bytes(&[0x67; 16]).unwrap(), scheme).unwrap())
}

pub fn zone() -> Arc<Zone> {
    zone_of(KeyScheme::Tr31)
}

/// Encodes the fields and reads them from the wire.
pub fn decoded<T>(fields: &Fields, read: impl FnOnce(&Message<'_>) -> T) -> T {
    let spec = dialect().unwrap().spec;
    let mut wire = BytesMut::new();
    spec.encode(fields, &mut wire).unwrap();
    read(&spec.decode(&wire).unwrap())
}

pub fn card() -> CardProfile {
    CardProfile::keyed(PAN, Some("3012"), "710").unwrap().with_pin(PIN).unwrap()
}

pub fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A network that waits to be called on and given keys, and knows [`PAN`].
pub fn issuer_settings(behaviour: Behaviour) -> IssuerSettings {
    let card = IssuerCard::new(PAN).unwrap().with_pin(PIN).unwrap().with_balance(OPENING.unsigned_abs());
    IssuerSettings { behaviour, cards: vec![card], opening_minor: 50_000..=50_000, sign_on: true, exchange_keys: false }
}

pub fn acquirer_settings() -> AcquirerSettings {
    AcquirerSettings {
        answer_timeout: Duration::from_secs(5),
        repeats: Repeats {
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_millis(50),
            copies_max: 100,
        },
        ..AcquirerSettings::new("500002")
    }
}

pub async fn issuer(settings: IssuerSettings) -> (IssuerSide, SocketAddr) {
    let issuer = IssuerSide::new(zone(), settings, None).unwrap();
    let address = issuer.listen(loopback()).await.unwrap();
    (issuer, address)
}

/// Both sides, signed on and with keys.
pub async fn pair(behaviour: Behaviour, settings: AcquirerSettings) -> (AcquirerSide, IssuerSide) {
    let (issuer, address) = issuer(issuer_settings(behaviour)).await;
    (AcquirerSide::connect(address, zone(), settings, None).await.unwrap(), issuer)
}

/// What is on the card's account.
pub fn ledger(issuer: &IssuerSide) -> i64 {
    issuer.balance(PAN, "710").unwrap().ledger
}
