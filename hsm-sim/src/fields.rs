//! Reading the fields of a command. Every length is checked before anything is taken.
//!
//! A handler reads all its fields first and then says that this is the [end](Fields::end), which gives it the LMK that
//! the tail selects. So a command is wholly read before anything is done with it, and can also only be read, to be
//! explained.

use zeroize::Zeroizing;

use crate::device::Device;
use crate::error::Code;
use crate::hex;
use crate::keys::{Attributes, Scheme, Vault};

/// Marks the end of the fields; up to 32 characters behind it come back unchanged.
pub const END_OF_MESSAGE: u8 = 0x19;
const TRAILER_MAX: usize = 32;

/// A field as it was read: what it is, and where it stands in the command's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub name: &'static str,
    pub range: std::ops::Range<usize>,
}

/// How long a zone master key without a scheme letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZmkLength {
    Single,
    Double,
}

/// How long keys without a scheme letter are taken to be: zone master keys by a setting, others as is usual in their
/// place, or double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bare {
    pub zmk: ZmkLength,
    pub double: bool,
}

impl Bare {
    pub const USUAL: Self = Self { zmk: ZmkLength::Double, double: false };

    /// What a command is read with in turn, until one makes sense of it. `zmk`: the setting, where there is one.
    pub fn attempts(zmk: Option<ZmkLength>) -> impl Iterator<Item = Self> {
        use ZmkLength::{Double, Single};
        [(Double, false), (Single, false), (Double, true), (Single, true)]
            .into_iter()
            .map(|(zmk, double)| Self { zmk, double })
            .filter(move |bare| zmk.is_none_or(|set| set == bare.zmk))
    }
}

/// What is left of a command.
pub struct Fields<'a> {
    whole: &'a [u8],
    at: usize,
    bare: Bare,
    device: Option<&'a Device>,
    seen: Option<Vec<Seen>>,
    trailer: &'a [u8],
    ended: bool,
}

/// A key as it stands in a command.
#[derive(Clone, Copy)]
pub struct CipheredKey<'a> {
    pub scheme: Scheme,
    /// With its scheme letter, where it has one.
    text: &'a [u8],
}

impl<'a> CipheredKey<'a> {
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    fn digits(&self) -> &'a [u8] {
        match self.text {
            [letter, digits @ ..] if letter.is_ascii_uppercase() && !letter.is_ascii_hexdigit() => digits,
            digits => digits,
        }
    }

    /// The enciphered bytes.
    pub fn cryptogram(&self) -> Result<Vec<u8>, Code> {
        let mut bytes = vec![0; self.digits().len() / 2];
        if hex::read(self.digits(), &mut bytes) { Ok(bytes) } else { Err(Code::INPUT) }
    }

    /// The key block, without its letter.
    pub fn block(&self) -> Result<&'a str, Code> {
        std::str::from_utf8(self.digits()).ok().filter(|text| text.is_ascii()).ok_or(Code::KEY_BLOCK)
    }

    /// Bytes of the enciphered key; none for key blocks, which tell in secret.
    pub fn length(&self) -> usize {
        match self.scheme {
            Scheme::KeyBlock | Scheme::Tr31 => 0,
            _ => self.digits().len() / 2,
        }
    }

    /// Whether a key block says that its key is AES.
    pub fn is_aes(&self) -> bool {
        matches!(self.scheme, Scheme::KeyBlock | Scheme::Tr31) && self.digits().get(7) == Some(&b'A')
    }

    /// How the same key is written where nothing says how: with its letter, or without one if it came so.
    pub fn scheme_alike(&self) -> Scheme {
        if self.text.first().is_some_and(u8::is_ascii_hexdigit) { Scheme::Single } else { self.scheme }
    }
}

impl<'a> Fields<'a> {
    /// Fields that are only read, up to their end.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { whole: bytes, at: 0, bare: Bare::USUAL, device: None, seen: None, trailer: &[], ended: false }
    }

    /// Fields of a command that a device is to run.
    pub(crate) fn for_device(bytes: &'a [u8], device: &'a Device, bare: Bare) -> Self {
        Self { device: Some(device), bare, ..Self::new(bytes) }
    }

    /// Fields that are only read, each of them noted.
    pub(crate) fn noted(bytes: &'a [u8], bare: Bare) -> Self {
        Self { seen: Some(Vec::new()), bare, ..Self::new(bytes) }
    }

    /// What was read so far.
    pub(crate) fn into_seen(self) -> Vec<Seen> {
        self.seen.unwrap_or_default()
    }

    /// Whether all fields were there and nothing else.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// The trailer with its end-of-message character.
    pub(crate) fn trailer(&self) -> &'a [u8] {
        self.trailer
    }

    pub fn rest(&self) -> &'a [u8] {
        self.whole.get(self.at..).unwrap_or_default()
    }

    /// What is left up to the tail: LMK selector or end of message. For fields that are as long as there is room.
    pub fn rest_before_tail(&self) -> usize {
        self.rest()
            .iter()
            .position(|byte| matches!(*byte, b'%' | END_OF_MESSAGE | b';' | b'#'))
            .unwrap_or(self.rest().len())
    }

    /// Raw bytes.
    pub fn bytes(&mut self, name: &'static str, count: usize) -> Result<&'a [u8], Code> {
        let taken = self.rest().get(..count).ok_or(Code::INPUT)?;
        if let Some(seen) = &mut self.seen
            && count > 0
        {
            seen.push(Seen { name, range: self.at..self.at + count });
        }
        self.at += count;
        Ok(taken)
    }

    pub fn byte(&mut self, name: &'static str) -> Result<u8, Code> {
        Ok(self.bytes(name, 1)?[0])
    }

    /// As many raw bytes as the field is long.
    pub fn raw<const N: usize>(&mut self, name: &'static str) -> Result<[u8; N], Code> {
        self.bytes(name, N)?.try_into().map_err(|_| Code::INPUT)
    }

    /// Printable characters.
    pub fn text(&mut self, name: &'static str, count: usize) -> Result<&'a str, Code> {
        std::str::from_utf8(self.bytes(name, count)?).ok().filter(|text| text.is_ascii()).ok_or(Code::INPUT)
    }

    /// Decimal digits; `fault` when they are not.
    pub fn digits(&mut self, name: &'static str, count: usize, fault: Code) -> Result<&'a str, Code> {
        let text = self.text(name, count)?;
        if text.bytes().all(|byte| byte.is_ascii_digit()) { Ok(text) } else { Err(fault) }
    }

    /// A decimal number.
    pub fn number(&mut self, name: &'static str, count: usize) -> Result<usize, Code> {
        self.digits(name, count, Code::INPUT)?.parse().map_err(|_| Code::INPUT)
    }

    /// Bytes given as hexadecimal digits.
    pub fn hex(&mut self, name: &'static str, count: usize) -> Result<Zeroizing<Vec<u8>>, Code> {
        let digits = self.bytes(name, count.checked_mul(2).ok_or(Code::INPUT)?)?;
        let mut bytes = Zeroizing::new(vec![0; count]);
        if hex::read(digits, &mut bytes) { Ok(bytes) } else { Err(Code::INPUT) }
    }

    /// As many bytes as the field is long, given as hexadecimal digits.
    pub fn block<const N: usize>(&mut self, name: &'static str) -> Result<[u8; N], Code> {
        let mut block = [0; N];
        if hex::read(self.bytes(name, N * 2)?, &mut block) { Ok(block) } else { Err(Code::INPUT) }
    }

    /// A length of so many hexadecimal digits.
    pub fn length(&mut self, name: &'static str, digits: usize) -> Result<usize, Code> {
        let text = self.text(name, digits)?;
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Code::INPUT);
        }
        usize::from_str_radix(text, 16).map_err(|_| Code::INPUT)
    }

    /// A key: with a scheme letter, or without one and `bare` bytes long (0 takes what is there, up to 16 bytes). Where 8
    /// makes no sense of a command, 16 is tried.
    pub fn key(&mut self, name: &'static str, bare: usize) -> Result<CipheredKey<'a>, Code> {
        self.bare_of(name, if bare == 8 && self.bare.double { 16 } else { bare })
    }

    fn bare_of(&mut self, name: &'static str, bare: usize) -> Result<CipheredKey<'a>, Code> {
        let rest = self.rest();
        let letter = *rest.first().ok_or(Code::INPUT)?;
        let (scheme, length) = match letter {
            b'U' | b'T' | b'X' | b'Y' | b'Z' => {
                let scheme = Scheme::parse(letter)?;
                (scheme, 1 + scheme.key_length()? * 2)
            }
            b'S' | b'R' => {
                let head = std::str::from_utf8(rest.get(1..6).ok_or(Code::INPUT)?).map_err(|_| Code::KEY_BLOCK)?;
                let length = payment_crypto::tr31::length(head).ok_or(Code::KEY_BLOCK)?;
                (Scheme::parse(letter)?, 1 + length)
            }
            // The index of a key in user storage, which this device has none of.
            b'K' => return Err(Code::USER_STORAGE),
            _ if bare == 16 || bare == 0 && self.rest_before_tail() >= 32 => (Scheme::DoubleAnsi, 32),
            _ => (Scheme::Single, 16),
        };
        let key = CipheredKey { scheme, text: self.bytes(name, length)? };
        let hexadecimal = key.digits().iter().all(u8::is_ascii_hexdigit) && key.digits().len().is_multiple_of(16);
        if matches!(scheme, Scheme::KeyBlock | Scheme::Tr31) || hexadecimal { Ok(key) } else { Err(Code::INPUT) }
    }

    /// A zone master key, whose length without a letter is a setting.
    pub fn zmk(&mut self, name: &'static str) -> Result<CipheredKey<'a>, Code> {
        match self.bare.zmk {
            ZmkLength::Single => self.bare_of(name, 8),
            ZmkLength::Double => self.bare_of(name, 16),
        }
    }

    /// Whether the delimiter comes next; it is taken.
    pub fn delimiter(&mut self, wanted: u8) -> bool {
        let is_next = self.rest().first() == Some(&wanted);
        if is_next {
            // A delimiter that is there can be taken.
            let _ = self.bytes("delimiter", 1);
        }
        is_next
    }

    /// `#` and what a key block is to say of its key, where that comes next.
    pub fn attributes(&mut self) -> Result<Option<Attributes>, Code> {
        if !self.delimiter(b'#') {
            return Ok(None);
        }
        Ok(Some(Attributes::parse(&self.raw("key block attributes")?)?))
    }

    /// The tail: `%` and the LMK's identifier, then a trailer. Gives the LMK that is to be used.
    pub fn end(&mut self) -> Result<Vault<'a>, Code> {
        let id = if self.delimiter(b'%') { self.digits("LMK identifier", 2, Code::LMK)?.parse().ok() } else { Some(0) };
        match self.rest() {
            [] => {}
            [END_OF_MESSAGE, trailer @ ..] if trailer.len() <= TRAILER_MAX => {
                self.trailer = self.rest();
                let length = self.rest().len();
                self.bytes("trailer", length)?;
            }
            _ => return Err(Code::INPUT),
        }
        self.ended = true;
        let device = self.device.ok_or(Code::READ_ONLY)?;
        device.vault(id.ok_or(Code::LMK)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_all_schemes() {
        let bare = "0123456789ABCDEF".repeat(3);
        for (text, scheme, length) in [
            (format!("U{}", &bare[..32]), Scheme::DoubleVariant, 16),
            (format!("T{bare}"), Scheme::TripleVariant, 24),
            (format!("X{}", &bare[..32]), Scheme::DoubleAnsi, 16),
            (format!("Y{bare}"), Scheme::TripleAnsi, 24),
            (format!("Z{}", &bare[..16]), Scheme::Single, 8),
        ] {
            let text = format!("{text}rest");
            let mut fields = Fields::new(text.as_bytes());
            let key = fields.key("key", 16).unwrap();
            assert_eq!((key.scheme, key.length(), key.cryptogram().unwrap().len()), (scheme, length, length));
            assert_eq!(fields.rest(), b"rest");
        }
        let read = |text: &'static str, bare| Fields::new(text.as_bytes()).key("key", bare).map(|key| key.length());
        assert_eq!(read("0123456789ABCDEF0123456789ABCDEF", 8), Ok(8));
        assert_eq!(read("0123456789ABCDEF0123456789ABCDEF", 16), Ok(16));
        assert_eq!(read("0123456789ABCDEF0123456789ABCDEF", 0), Ok(16));
        assert_eq!(read("0123456789ABCDEF;0123456789ABCDE", 0), Ok(8));
        assert_eq!(read("0123456789ABCDE", 0), Err(Code::INPUT));
        assert_eq!(read("G123456789ABCDEF", 0), Err(Code::INPUT));
        assert_eq!(read("K001", 0), Err(Code::USER_STORAGE));
        assert_eq!(read("S0007", 0), Err(Code::INPUT));
        assert_eq!(read("S000X2", 0), Err(Code::KEY_BLOCK));
        assert_eq!(read("", 0), Err(Code::INPUT));
    }

    #[test]
    fn tails() {
        let end = |text: &'static [u8]| {
            let mut fields = Fields::new(text);
            (fields.end().err(), fields.ended(), fields.trailer())
        };
        assert_eq!(end(b""), (Some(Code::READ_ONLY), true, &b""[..]));
        assert_eq!(end(b"%01\x19tail"), (Some(Code::READ_ONLY), true, &b"\x19tail"[..]));
        assert_eq!(end(b"%0"), (Some(Code::INPUT), false, &b""[..]));
        assert_eq!(end(b"%ab"), (Some(Code::LMK), false, &b""[..]));
        assert_eq!(end(b"more"), (Some(Code::INPUT), false, &b""[..]));
        assert_eq!(end(b"\x19123456789012345678901234567890123"), (Some(Code::INPUT), false, &b""[..]));
    }

    #[test]
    fn what_is_read_is_noted() {
        let mut fields = Fields::noted(b"U0123456789ABCDEF0123456789ABCDEF12;", Bare::USUAL);
        fields.key("ZPK", 8).unwrap();
        assert_eq!(fields.number("maximum PIN length", 2), Ok(12));
        assert!(fields.delimiter(b';'));
        let seen = fields.into_seen();
        assert_eq!(seen[0], Seen { name: "ZPK", range: 0..33 });
        assert_eq!(seen[1], Seen { name: "maximum PIN length", range: 33..35 });
        assert_eq!(seen.len(), 3);
    }
}
