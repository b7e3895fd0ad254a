//! Whether a card may be used at all.

use std::sync::Arc;

use directory::{Card, CardStatus};
use ledger::Millis;
use time::OffsetDateTime;

use super::Switch;
use super::origin::Origin;
use super::request::FinancialRequest;
use super::response_code::ResponseCode;

/// The card of the request, whatever its state.
pub fn find(switch: &Switch, origin: &Origin, request: &FinancialRequest) -> Result<Arc<Card>, ResponseCode> {
    if !iso8583::domain::luhn_valid(request.pan.as_str()) {
        return Err(ResponseCode::UNKNOWN_CARD);
    }
    let card = switch.directory.card(&switch.hasher.hash(&request.pan)).ok_or(ResponseCode::UNKNOWN_CARD)?;
    if card.tenant_id != origin.tenant_id() {
        // Settlement between two tenants needs an account for the pair; none is kept, so there is no way there.
        return Err(ResponseCode::NO_ROUTE);
    }
    Ok(card)
}

/// Status first, then expiry: a stolen card is reported stolen even when it has expired.
pub fn check_usable(card: &Card, request: &FinancialRequest, now: Millis) -> Result<(), ResponseCode> {
    match card.status {
        CardStatus::Active => {}
        CardStatus::Blocked => return Err(ResponseCode::CARD_BLOCKED),
        CardStatus::Lost => return Err(ResponseCode::LOST),
        CardStatus::Stolen => return Err(ResponseCode::STOLEN),
        CardStatus::Inactive | CardStatus::Restricted | CardStatus::Cancelled => return Err(ResponseCode::RESTRICTED),
    }
    let stated_other = request.expiry.is_some_and(|stated| stated != card.expiry);
    if stated_other || has_expired(card.expiry, now) {
        return Err(ResponseCode::EXPIRED);
    }
    Ok(())
}

/// `YYMM` holds to the end of that month, UTC.
fn has_expired(expiry: [u8; 4], now: Millis) -> bool {
    let today = i64::try_from(now / 1000).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let stated = std::str::from_utf8(&expiry).ok().and_then(|text| text.parse::<i32>().ok());
    match (today, stated) {
        (Some(today), Some(stated)) => stated < (today.year() % 100) * 100 + i32::from(u8::from(today.month())),
        // A date that cannot be read never approves.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_serves_to_the_end_of_its_month() {
        let november_30_2026 = 1_796_083_199_000;
        assert!(!has_expired(*b"2611", november_30_2026));
        assert!(has_expired(*b"2611", november_30_2026 + 1000));
        assert!(has_expired(*b"2610", november_30_2026));
        assert!(!has_expired(*b"2701", november_30_2026));
        assert!(has_expired(*b"27x1", november_30_2026));
    }
}
