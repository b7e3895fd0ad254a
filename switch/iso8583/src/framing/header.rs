//! What stands between a frame's length and its message.

/// Which header the frames of a link have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderKind {
    None,
    /// Five bytes: id, destination address, origin address.
    Tpdu,
    /// Twelve characters: `ISO`, product, release, status, originator, responder.
    Base24,
    /// Visa Base I: 22 bytes, or 26 in front of a message that is sent back as rejected.
    BaseI,
}

pub const TPDU_LENGTH: usize = 5;
const BASE24_LENGTH: usize = 12;

/// The header of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// Where the link has none, in a keep-alive, and in a frame that does not begin with the link's.
    None,
    Tpdu([u8; TPDU_LENGTH]),
    Base24([u8; BASE24_LENGTH]),
    BaseI(BaseI),
    /// The two bytes behind a Visa length, where they are not zero: the frame is session control, not a message.
    Control([u8; 2]),
}

impl HeaderKind {
    pub const ALL: [Self; 4] = [Self::None, Self::Tpdu, Self::Base24, Self::BaseI];

    /// As it is written in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Tpdu => "tpdu",
            Self::Base24 => "base24",
            Self::BaseI => "base1",
        }
    }

    /// In words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::None => "no header",
            Self::Tpdu => "5-byte TPDU",
            Self::Base24 => "12-character BASE24 header",
            Self::BaseI => "Base I header",
        }
    }

    /// The header in front of a frame's bytes, and its length.
    pub(crate) fn read(self, frame: &[u8]) -> (Header, usize) {
        let found = match self {
            Self::None => None,
            Self::Tpdu => frame.first_chunk().map(|tpdu| (Header::Tpdu(*tpdu), TPDU_LENGTH)),
            Self::Base24 => frame
                .first_chunk()
                .filter(|header: &&[u8; BASE24_LENGTH]| header.starts_with(b"ISO"))
                .map(|header| (Header::Base24(*header), BASE24_LENGTH)),
            Self::BaseI => BaseI::read(frame).map(|header| (Header::BaseI(header), header.as_bytes().len())),
        };
        found.unwrap_or((Header::None, 0))
    }
}

impl Header {
    /// As it stands in a frame, its total length not yet set.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::None | Self::Control(_) => &[],
            Self::Tpdu(bytes) => bytes,
            Self::Base24(bytes) => bytes,
            Self::BaseI(header) => header.as_bytes(),
        }
    }

    /// The header of an answer: addresses change places.
    pub fn reply(&self) -> Self {
        match *self {
            Self::Tpdu([id, to_high, to_low, from_high, from_low]) => {
                Self::Tpdu([id, from_high, from_low, to_high, to_low])
            }
            Self::BaseI(header) => Self::BaseI(header.reply()),
            other => other,
        }
    }
}

/// The header of Visa Base I: length, header format, text format, total length (2), destination station (3), source
/// station (3), round-trip control, flags (2), status (3), batch, reserved (3), user; of a rejected message a bitmap
/// (2) and the reject code (2) follow, and behind them the message with the header it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseI {
    bytes: [u8; Self::REJECTED],
    is_reject: bool,
}

impl BaseI {
    const PLAIN: usize = 22;
    const REJECTED: usize = 26;

    /// A header between two stations, three bytes of packed digits each.
    pub fn new(destination: [u8; 3], source: [u8; 3]) -> Self {
        let mut bytes = [0; Self::REJECTED];
        bytes[0] = Self::PLAIN as u8;
        bytes[1] = 1;
        bytes[2] = 2;
        bytes[5..8].copy_from_slice(&destination);
        bytes[8..11].copy_from_slice(&source);
        Self { bytes, is_reject: false }
    }

    fn read(frame: &[u8]) -> Option<Self> {
        let length = usize::from(*frame.first()?);
        if length != Self::PLAIN && length != Self::REJECTED {
            return None;
        }
        let mut bytes = [0; Self::REJECTED];
        bytes.get_mut(..length)?.copy_from_slice(frame.get(..length)?);
        Some(Self { bytes, is_reject: length == Self::REJECTED })
    }

    fn as_bytes(&self) -> &[u8] {
        if self.is_reject { &self.bytes } else { &self.bytes[..Self::PLAIN] }
    }

    pub fn destination(&self) -> [u8; 3] {
        [self.bytes[5], self.bytes[6], self.bytes[7]]
    }

    pub fn source(&self) -> [u8; 3] {
        [self.bytes[8], self.bytes[9], self.bytes[10]]
    }

    /// Why a message came back.
    pub fn reject_code(&self) -> Option<[u8; 2]> {
        self.is_reject.then_some([self.bytes[24], self.bytes[25]])
    }

    fn reply(self) -> Self {
        let mut reply = self;
        reply.bytes[5..8].copy_from_slice(&self.source());
        reply.bytes[8..11].copy_from_slice(&self.destination());
        reply
    }

    /// With the length of header and message together, which the header says.
    pub(crate) fn with_total(mut self, message: usize) -> Result<Self, &'static str> {
        let total = u16::try_from(self.as_bytes().len() + message).map_err(|_| "message longer than a frame can be")?;
        self.bytes[3..5].copy_from_slice(&total.to_be_bytes());
        Ok(self)
    }
}
