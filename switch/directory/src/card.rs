//! A card as the switch sees it.

use crate::PanHash;

/// Why a card may or may not be used; the switch turns it into DE 39.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardStatus {
    Active,
    /// Issued but not yet activated by its holder.
    Inactive,
    Blocked,
    Lost,
    Stolen,
    Restricted,
    Cancelled,
}

impl CardStatus {
    /// The name used in SQL and REST.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Blocked => "BLOCKED",
            Self::Lost => "LOST",
            Self::Stolen => "STOLEN",
            Self::Restricted => "RESTRICTED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The inverse of [`CardStatus::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Inactive, Self::Blocked, Self::Lost, Self::Stolen, Self::Restricted, Self::Cancelled]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// One issued card. `Debug` shows neither keys nor what PINs are verified by.
#[derive(Clone)]
pub struct Card {
    /// Row id in the store; also the card's key in the ledger (PIN tries).
    pub card_id: i64,
    pub tenant_id: i64,
    pub wallet_id: i64,
    pub pan_hash: PanHash,
    pub status: CardStatus,
    /// `YYMM`, valid to the end of that month.
    pub expiry: [u8; 4],
    /// Ledger account of the wallet.
    pub account: u64,
    /// ISO 4217 numeric code of the wallet.
    pub currency: u16,
    /// PIN verification key under the LMK.
    pub pvk: String,
    /// PIN verification key indicator, one digit.
    pub pvki: u8,
    /// PIN verification value, four digits; `None` while the card has no PIN.
    pub pvv: Option<String>,
    /// Wrong PINs in a row after which the card answers 75.
    pub pin_tries_max: u8,
    /// How far a completion may exceed its hold, in basis points.
    pub completion_tolerance_bp: u32,
    /// Life of a pre-authorization hold, in seconds.
    pub hold_life_s: u32,
}

impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Card")
            .field("card_id", &self.card_id)
            .field("tenant_id", &self.tenant_id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_no_secret() {
        let card = Card {
            card_id: 7,
            tenant_id: 1,
            wallet_id: 9,
            pan_hash: PanHash([0xAB; 32]),
            status: CardStatus::Active,
            expiry: *b"2911",
            account: 11,
            currency: 710,
            pvk: "U0123456789ABCDEFFEDCBA9876543210".into(),
            pvki: 1,
            pvv: Some("4862".into()),
            pin_tries_max: 3,
            completion_tolerance_bp: 1500,
            hold_life_s: 60,
        };
        let shown = format!("{card:?}");
        assert!(shown.contains("card_id: 7"), "{shown}");
        for secret in ["0123456789ABCDEF", "4862", "2911", "50, 57, 49, 49"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}
