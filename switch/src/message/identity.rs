//! By which keys a message is known: for duplicates, reversals and completions.

use std::borrow::Cow;

use directory::PanHasher;
use ledger::{Content, EventId, Key, Millis, Reference};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use super::mti::{Class, Mti};
use super::origin::Origin;
use super::request::FinancialRequest;
use super::response_code::ResponseCode;

/// A message's own id, the other keys it can be found by, and the digest of its business content.
#[derive(Clone, Debug)]
pub struct Identity {
    pub id: EventId,
    pub aliases: Vec<Key>,
    /// Set on repeats: sender, DE 11, 12 and 13, by which the first copy may be known under another DE 7.
    pub repeat_of: Option<Key>,
    pub content: Content,
}

impl Identity {
    pub fn of(
        hasher: &PanHasher,
        origin: &Origin,
        request: &FinancialRequest,
        now: Millis,
    ) -> Result<Self, ResponseCode> {
        let keys = KeyMaker { hasher, scope: origin.scope() };
        let time = resolve(&request.transmission, now).ok_or(ResponseCode::FORMAT_ERROR)?;
        let family = request.mti.family();
        let repeat = request.local_time.as_ref().map(|(time, date)| {
            keys.key("repeat", &[&family, request.stan.as_bytes(), time.as_bytes(), date.as_bytes()])
        });
        let mut aliases: Vec<Key> = repeat.into_iter().collect();
        if matches!(request.mti.class(), Class::Authorization | Class::Financial) {
            aliases.push(keys.by_stan(&request.stan, None));
            if let Some(rrn) = &request.rrn {
                aliases.push(keys.by_stan(&request.stan, Some(rrn)));
            }
            if request.mti.is_repeat() {
                aliases.push(keys.repeats_of(&family, &request.stan));
            }
        }
        if let (Class::Authorization, Some(rrn)) = (request.mti.class(), &request.rrn) {
            aliases.push(keys.by_rrn(rrn));
        }
        Ok(Self {
            id: keys.id(&family, &request.stan, &request.transmission, time),
            aliases,
            repeat_of: repeat.filter(|_| request.mti.is_repeat()),
            content: content(hasher, request),
        })
    }
}

/// The original a reversal names: by DE 90, else by DE 11 and, if present, DE 37.
pub fn reversed(
    hasher: &PanHasher,
    origin: &Origin,
    request: &FinancialRequest,
    now: Millis,
) -> Result<Reference, ResponseCode> {
    let keys = KeyMaker { hasher, scope: origin.scope() };
    match &request.original {
        Some(_) => keys.original(request, now),
        None => Ok(Reference::Key(keys.by_stan(&request.stan, request.rrn.as_deref()))),
    }
}

/// The hold a completion names: by DE 90, else by the same DE 37.
pub fn completed(
    hasher: &PanHasher,
    origin: &Origin,
    request: &FinancialRequest,
    now: Millis,
) -> Result<Reference, ResponseCode> {
    let keys = KeyMaker { hasher, scope: origin.scope() };
    match (&request.original, &request.rrn) {
        (Some(_), _) => keys.original(request, now),
        (None, Some(rrn)) => Ok(Reference::Key(keys.by_rrn(rrn))),
        (None, None) => Err(ResponseCode::FORMAT_ERROR),
    }
}

/// PAN, DE 3, DE 4 and DE 49: what a duplicate and a reversal must share with the first message.
fn content(hasher: &PanHasher, request: &FinancialRequest) -> Content {
    let mac = hasher.mac(&[
        b"content",
        request.pan.as_str().as_bytes(),
        request.processing_code.as_bytes(),
        request.amount_text.as_bytes(),
        request.currency_text.as_bytes(),
    ]);
    let mut digest = [0; 16];
    digest.copy_from_slice(&mac[..16]);
    Content(digest)
}

/// Keys are keyed digests: the journal's readers cannot tell a terminal's traffic from them.
struct KeyMaker<'a> {
    hasher: &'a PanHasher,
    /// See [`Origin::scope`].
    scope: (Cow<'a, str>, &'a str),
}

impl KeyMaker<'_> {
    fn digest(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut all: Vec<&[u8]> = vec![purpose.as_bytes(), self.scope.0.as_bytes(), self.scope.1.as_bytes()];
        all.extend_from_slice(parts);
        self.hasher.mac(&all)
    }

    fn key(&self, purpose: &str, parts: &[&[u8]]) -> Key {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.digest(purpose, parts)[..16]);
        Key::from_le_bytes(bytes)
    }

    fn by_stan(&self, stan: &str, rrn: Option<&str>) -> Key {
        match rrn {
            Some(rrn) => self.key("stan-rrn", &[stan.as_bytes(), rrn.trim_end().as_bytes()]),
            None => self.key("stan", &[stan.as_bytes()]),
        }
    }

    /// Only repeats carry it: a message that names another by DE 90 means its repeat, where that came in its place
    /// under a DE 7 of its own.
    fn repeats_of(&self, family: &[u8; 3], stan: &str) -> Key {
        self.key("repeat-stan", &[family, stan.as_bytes()])
    }

    fn by_rrn(&self, rrn: &str) -> Key {
        self.key("rrn", &[rrn.trim_end().as_bytes()])
    }

    fn id(&self, family: &[u8; 3], stan: &str, transmission: &str, time: Millis) -> EventId {
        let mut low = [0; 10];
        low.copy_from_slice(&self.digest("id", &[family, stan.as_bytes(), transmission.as_bytes()])[..10]);
        EventId::new(time, low)
    }

    fn original(&self, request: &FinancialRequest, now: Millis) -> Result<Reference, ResponseCode> {
        let original = request.original.as_ref().ok_or(ResponseCode::FORMAT_ERROR)?;
        let mti = Mti::parse(&original.mti).ok_or(ResponseCode::FORMAT_ERROR)?;
        let time = resolve(&original.transmission, now).ok_or(ResponseCode::FORMAT_ERROR)?;
        let family = mti.family();
        let id = self.id(&family, &original.stan, &original.transmission, time);
        Ok(Reference::IdOrRepeat(id, self.repeats_of(&family, &original.stan)))
    }
}

/// DE 7 (`MMDDhhmmss`, UTC) with the year that brings it nearest to now. `None` when it is no date at all.
pub fn resolve(transmission: &str, now: Millis) -> Option<Millis> {
    let number = |range: std::ops::Range<usize>| transmission.get(range)?.parse::<u8>().ok();
    if transmission.len() != 10 || !transmission.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let month = Month::try_from(number(0..2)?).ok()?;
    let day = number(2..4)?;
    let time = Time::from_hms(number(4..6)?, number(6..8)?, number(8..10)?).ok()?;
    let now = i128::from(now);
    let year = OffsetDateTime::from_unix_timestamp_nanos(now * 1_000_000).ok()?.to_offset(UtcOffset::UTC).year();
    [year - 1, year, year + 1]
        .into_iter()
        .filter_map(|year| Date::from_calendar_date(year, month, day).ok())
        .map(|date| PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp_nanos() / 1_000_000)
        .min_by_key(|candidate| (candidate - now).abs())
        .and_then(|millis| Millis::try_from(millis).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Millis {
        let moment = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap();
        Millis::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap()
    }

    #[test]
    fn the_year_is_the_nearest() {
        let cases = [
            ("1231235959", "2027-01-01T00:00:10Z", "2026-12-31T23:59:59Z"),
            ("0101000000", "2026-12-31T23:59:50Z", "2027-01-01T00:00:00Z"),
            ("0615120000", "2026-06-15T12:00:05Z", "2026-06-15T12:00:00Z"),
            // A leap day seen a day later, and one that only last year had.
            ("0229120000", "2028-03-01T12:00:00Z", "2028-02-29T12:00:00Z"),
        ];
        for (transmission, now, expected) in cases {
            assert_eq!(resolve(transmission, at(now)), Some(at(expected)), "{transmission} seen at {now}");
        }
        for nonsense in ["", "1301000000", "0230000000", "0101250000", "01010000", "010100000x"] {
            assert_eq!(resolve(nonsense, at("2026-06-15T12:00:00Z")), None, "{nonsense}");
        }
    }
}
