//! What can happen: the events of the journal.

use serde::{Deserialize, Serialize};

use crate::controls::{Controls, TerminalId, Totals};
use crate::messages::{ForwardResult, LinkId, MessageDid};

/// Unix time in milliseconds.
pub type Millis = u64;
pub type AccountId = u64;
pub type CardId = u64;
/// Another key by which an event is found; made by the caller, from a keyed digest or a counter.
pub type Key = u128;

/// Decides an event's outcome: the same id and content is answered as the first time. The top 48 bits are a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventId(pub u128);

impl EventId {
    /// `time`: Unix milliseconds (48 bits are kept); `low`: anything that tells events of that time apart.
    pub fn new(time: Millis, low: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[6..].copy_from_slice(&low);
        Self(u128::from(time & 0xFFFF_FFFF_FFFF) << 80 | u128::from_be_bytes(bytes))
    }

    pub fn time(self) -> Millis {
        (self.0 >> 80) as Millis
    }

    /// The greatest id of a time.
    pub(crate) fn last_of(time: Millis) -> Self {
        Self::new(time, [0xFF; 10])
    }
}

/// Digest of an event's business content: equal or not, nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content(pub [u8; 16]);

/// An amount on an account in minor units: above zero a credit, below a debit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    pub account: AccountId,
    pub amount: i64,
}

/// Two to sixteen postings in one currency that add up to zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// ISO 4217 numeric.
    pub currency: u16,
    pub postings: Vec<Posting>,
}

/// How far an account may be debited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Floor {
    /// Balance less pending debits stays at or above this.
    Limited(i64),
    Unlimited,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountKind {
    Wallet,
    Merchant,
    System,
}

/// An event as it is submitted; the ledger adds sequence and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub content: Content,
    /// Refused (`TooLarge`) with an event that judges none; see [`Body::is_controlled`].
    pub controls: Controls,
    pub body: Body,
}

impl Event {
    /// An event without controls.
    pub fn new(id: EventId, content: Content, body: Body) -> Self {
        Self { id, content, controls: Controls::default(), body }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    OpenAccount {
        account: AccountId,
        currency: u16,
        kind: AccountKind,
        floor: Floor,
    },
    CloseAccount {
        account: AccountId,
    },
    /// `record`: up to 1 KiB that statements show; nothing secret, nothing interpreted here.
    Post {
        entry: Entry,
        record: Vec<u8>,
    },
    /// Posts 1 to 500 entries in their order, all of them or none: the first that cannot be posted gives the outcome, and
    /// its number, from 1, the reason. It is not reversed itself; the opposite batch takes it back.
    PostAll {
        entries: Vec<Entry>,
        record: Vec<u8>,
    },
    PlaceHold {
        entry: Entry,
        expires_at: Millis,
        record: Vec<u8>,
    },
    /// Holds more with an open hold of two postings; its expiry stays. It is not reversed itself: a reversal of the hold
    /// goes down to what shall remain of both.
    IncreaseHold {
        hold: EventId,
        amount: i64,
        record: Vec<u8>,
    },
    /// Posts part of a hold; the last capture releases what remains. A hold of more than two postings is captured
    /// whole or not at all.
    CaptureHold {
        hold: EventId,
        amount: i64,
        last: bool,
        record: Vec<u8>,
    },
    VoidHold {
        hold: EventId,
    },
    /// Down to `remaining`; 0 reverses all.
    Reverse {
        original: EventId,
        remaining: i64,
        record: Vec<u8>,
    },
    Card(CardEvent),
    ResetPinTries {
        card: CardId,
    },
    /// The card's next transaction counter is taken as it comes: its chip was replaced.
    ForgetAtc {
        card: CardId,
    },
    /// Ends the business day of a terminal in a currency. Where the terminal has counted something else the reason of
    /// the outcome is 1; the day ends all the same. What is reversed later is counted on the later day.
    CloseTotals {
        terminal: TerminalId,
        currency: u16,
        /// As YYYYMMDD; later than the day that ends.
        next_date: u32,
        counted: Option<Totals>,
        record: Vec<u8>,
    },
    /// The answer to a request that was forwarded. From now on the request's own outcome and answer facts are these.
    CloseForward {
        forward: EventId,
        result: ForwardResult,
        answer: Vec<u8>,
        record: Vec<u8>,
    },
    /// What became of a message that waited.
    Message {
        message: EventId,
        did: MessageDid,
    },
    /// Lets go what is due: expired holds, unanswered forwards, forgotten ids. Made by the ledger itself.
    Tick,
}

impl Body {
    /// Whether events of this kind judge [`Controls`].
    pub fn is_controlled(&self) -> bool {
        matches!(
            self,
            Self::Post { .. }
                | Self::PlaceHold { .. }
                | Self::IncreaseHold { .. }
                | Self::Reverse { .. }
                | Self::CloseForward { .. }
                | Self::Card(_)
        )
    }

    /// The name of its kind, for people and tools.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::OpenAccount { .. } => "open-account",
            Self::CloseAccount { .. } => "close-account",
            Self::Post { .. } => "post",
            Self::PostAll { .. } => "post-all",
            Self::PlaceHold { .. } => "place-hold",
            Self::IncreaseHold { .. } => "increase-hold",
            Self::CaptureHold { .. } => "capture-hold",
            Self::VoidHold { .. } => "void-hold",
            Self::Reverse { .. } => "reverse",
            Self::Card(_) => "card",
            Self::ResetPinTries { .. } => "reset-pin-tries",
            Self::ForgetAtc { .. } => "forget-atc",
            Self::CloseTotals { .. } => "close-totals",
            Self::CloseForward { .. } => "close-forward",
            Self::Message { .. } => "message",
            Self::Tick => "tick",
        }
    }
}

/// One card message, declines included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardEvent {
    /// Up to five other keys by which this event is found later. Of several holders of a key the one with the newest
    /// id is meant; see [`Reference::Key`] for reversals.
    pub aliases: Vec<Key>,
    /// On repeats: the alias under which the first copy may be known. The first copy has it among its aliases, and is
    /// recognised by it too, should it come after its repeat.
    pub repeat_of: Option<Key>,
    /// Accepted and remembered for seven days instead of one. Must follow from what the id is made of: the same id
    /// must not be sent now as an advice and now as none.
    pub advice: bool,
    pub card: Option<CardId>,
    pub pin: PinCheck,
    pub pin_tries_max: u8,
    pub action: CardAction,
    /// Up to 512 bytes from which the caller rebuilds its answer to a duplicate.
    pub answer: Vec<u8>,
    pub record: Vec<u8>,
}

/// What the HSM said of the PIN; whether that costs a try is judged when the event is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinCheck {
    NotChecked,
    Right,
    Wrong,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardAction {
    /// Refused by the caller for its own numbered reason; recorded so that a duplicate gets the same answer.
    Decline {
        reason: u16,
    },
    Inquire {
        account: AccountId,
    },
    Post {
        entry: Entry,
    },
    Hold {
        entry: Entry,
        expires_at: Millis,
    },
    /// Posts `entry` in place of a hold. `tolerance_bp`: how far above the hold, in basis points.
    Complete {
        hold: Reference,
        approval: Option<u32>,
        entry: Entry,
        tolerance_bp: u32,
    },
    Reverse {
        original: Reference,
        remaining: i64,
    },
    /// Passed on to be decided elsewhere. Until its answer comes the outcome is `Forwarded`, and no answer by
    /// `expires_at` makes it `Unanswered` and queues the reversal that goes after it.
    Forward {
        link: LinkId,
        expires_at: Millis,
        /// As the message of an [`crate::Outgoing`].
        reversal: Vec<u8>,
    },
    /// Posts what has been paid elsewhere, whatever the floors say. A hold of this card that is named and still open
    /// is closed by it; where there is none it posts all the same.
    Force {
        entry: Entry,
        hold: Option<Reference>,
    },
}

/// An event named by its id or by an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reference {
    Id(EventId),
    /// Keys may be used again (terminals count their messages from 1 every morning), so what names an event by key
    /// means the newest one whose id is not later than its own. A reversal means none that is more than a day older
    /// than itself either, unless its hold is still open.
    Key(Key),
    /// By its id, and where no event of that id came, by a key that only repeats carry: the message that is named may
    /// have been lost, and a repeat with an id of its own have come in its place. A reversal only takes it for that
    /// where both have the same content.
    IdOrRepeat(EventId, Key),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_keeps_its_time() {
        let id = EventId::new(1_800_000_000_123, [0xFF; 10]);
        assert_eq!(id.time(), 1_800_000_000_123);
        assert!(EventId::new(1_800_000_000_124, [0; 10]) > id);
    }
}
