//! Network management, 0800: what it looks like, and which of it needs a MAC.

use iso8583::Fields;
use time::{OffsetDateTime, UtcOffset};

use super::zone::Zone;
use crate::terminal::{clock_time, month_and_day};
use crate::{Administration, Dialect, Error, Request};

/// DE 70 of a cut-over.
pub(crate) const CUT_OVER: &str = "201";

/// Sign-on, key exchange and echo come before there are keys, or to see whether there are any.
pub(crate) fn needs_mac(network_code: &str) -> bool {
    ![Administration::SignOn, Administration::KeyExchange, Administration::Echo]
        .iter()
        .any(|what| what.code() == network_code)
}

/// An 0800 of the zone's network; an echo has a MAC if there are keys, which proves them.
pub(crate) fn request(
    zone: &Zone,
    dialect: &Dialect,
    what: Administration,
    stan: u32,
    carrier: Option<&str>,
) -> Result<Request, Error> {
    let mut fields = Fields::new("0800");
    fields.set(7, transmission(OffsetDateTime::now_utc()));
    fields.set(11, format!("{stan:06}"));
    fields.set(33, zone.id());
    fields.set(70, what.code());
    if let Some(carrier) = carrier {
        fields.set(62, carrier);
    }
    let keys = match what {
        Administration::SignOn | Administration::KeyExchange => None,
        Administration::SignOff | Administration::Echo => zone.keys(),
    };
    Request::seal(fields, &dialect.spec, keys.as_ref())
}

/// DE 7.
fn transmission(now: OffsetDateTime) -> String {
    let now = now.to_offset(UtcOffset::UTC);
    format!("{}{}", month_and_day(now), clock_time(now))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::network::tests::fixture::zone;
    use crate::network::{key_carrier, zone::dialect};

    #[test]
    fn only_what_comes_before_keys_goes_without_a_mac() {
        let (zone, dialect) = (zone(), dialect().unwrap());
        let sealed = |what| request(&zone, &dialect, what, 7, None).unwrap().has_mac();
        use Administration::{Echo, KeyExchange, SignOff, SignOn};
        assert_eq!([SignOn, KeyExchange, SignOff, Echo].map(sealed), [false; 4], "no keys yet");
        zone.ring().activate(Arc::new(key_carrier::fresh().unwrap()), std::time::Instant::now());
        assert_eq!([SignOn, KeyExchange, SignOff, Echo].map(sealed), [false, false, true, true]);
        assert_eq!(["001", "101", "301", "002", "201", ""].map(needs_mac), [false, false, false, true, true, true]);
    }

    #[test]
    fn it_names_the_network() {
        let request = request(&zone(), &dialect().unwrap(), Administration::SignOn, 7, None).unwrap();
        let fields = request.fields();
        assert_eq!((fields.text(33), fields.text(70), fields.text(11)), (Some("500001"), Some("001"), Some("000007")));
        assert_eq!(fields.text(7).unwrap().len(), 10);
    }
}
