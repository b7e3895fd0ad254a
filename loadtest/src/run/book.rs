//! What the clients know: every message they sent, and what they were told.

use iso8583::Fields;

/// What names a message in the ledger as at the terminal: terminal, message family, STAN, DE 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageKey {
    /// DE 41.
    pub terminal: [u8; 8],
    /// First three digits of the MTI, `b"020"`.
    pub family: [u8; 3],
    pub stan: u32,
    /// MMDDhhmmss as a number.
    pub transmission: u64,
}

impl MessageKey {
    /// `None` where a part is missing or of another form.
    pub fn new(terminal: &str, mti: &str, stan: &str, transmission: &str) -> Option<Self> {
        let mut name = [b' '; 8];
        name.get_mut(..terminal.len())?.copy_from_slice(terminal.as_bytes());
        Some(Self {
            terminal: name,
            family: mti.as_bytes().get(..3)?.try_into().ok()?,
            stan: stan.parse().ok()?,
            transmission: transmission.parse().ok()?,
        })
    }

    pub fn of(fields: &Fields) -> Option<Self> {
        Self::new(fields.text(41)?.trim_end(), fields.mti(), fields.text(11)?, fields.text(7)?)
    }
}

impl std::fmt::Display for MessageKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        write!(
            f,
            "{} {}x STAN {:06} DE 7 {:010}",
            text(&self.terminal),
            text(&self.family),
            self.stan,
            self.transmission
        )
    }
}

/// What a message does to the wallet of its card, if it is approved; minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is posted: holds, inquiries.
    None,
    /// Above zero a credit.
    Post(i64),
    /// Gives back what an original posted, but for what remains.
    Undo { original: MessageKey, remaining: i64 },
}

/// What an answer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// DE 39.
    pub code: [u8; 2],
    /// DE 38.
    pub approval: Option<u32>,
}

impl Told {
    pub fn is_approved(self) -> bool {
        self.code == *b"00"
    }

    pub fn code(&self) -> String {
        String::from_utf8_lossy(&self.code).into_owned()
    }
}

/// How a message is meant to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    Approved,
    /// With this DE 39.
    Declined([u8; 2]),
    /// Depends on what overtakes what.
    Either,
}

/// One message and what became of it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub key: MessageKey,
    /// Number of its card in the stage's list.
    pub card: u32,
    /// DE 4.
    pub amount: i64,
    pub effect: Effect,
    pub meant: Meant,
    /// Sent under the key of an earlier message (MTI xxx1).
    pub repeat: bool,
    /// `None`: no answer came, or none that can be believed.
    pub told: Option<Told>,
    /// An answer came and was no sound one: a wrong MAC, another message's, undecodable.
    pub unsound: bool,
}

impl Seen {
    pub fn is_as_meant(&self) -> bool {
        match (self.told, self.meant) {
            (None, _) => false,
            (Some(told), Meant::Approved) => told.is_approved(),
            (Some(told), Meant::Declined(code)) => told.code == code,
            (Some(_), Meant::Either) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_a_message() {
        let mut fields = Fields::new("0201");
        fields.set(7, "1125041500");
        fields.set(11, "000123");
        assert_eq!(MessageKey::of(&fields), None, "no terminal");
        fields.set(41, "UMBRA1  ");
        let key = MessageKey::of(&fields).unwrap();
        assert_eq!(
            key,
            MessageKey::new("UMBRA1", "0200", "123", "1125041500").unwrap(),
            "repeats have their first's key"
        );
        assert_eq!(key.to_string(), "UMBRA1 020x STAN 000123 DE 7 1125041500");
        assert_eq!(MessageKey::new("UMBRA1234", "0200", "1", "1"), None);
    }
}
