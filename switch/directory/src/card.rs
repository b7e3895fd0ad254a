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

/// One issued card.
#[derive(Clone, Debug)]
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
