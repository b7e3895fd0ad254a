//! Keys and PINs as the host protocol carries them: enciphered under the LMK.

/// A key under the LMK, with its scheme letter. It may be stored; it is still not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyUnderLmk(String);

impl KeyUnderLmk {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Cuts a key off the front of a text: `U`, `X` 32 digits, `T`, `Y` 48, `R` and `S` a key block, none 16.
    pub(crate) fn split(text: &str) -> Option<(Self, &str)> {
        let length = match text.bytes().next()? {
            b'U' | b'X' => 33,
            b'T' | b'Y' => 49,
            b'R' | b'S' => 1 + text.get(2..6)?.parse::<usize>().ok()?,
            _ => 16,
        };
        let (key, rest) = text.split_at_checked(length)?;
        Some((Self(key.to_owned()), rest))
    }
}

impl From<String> for KeyUnderLmk {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for KeyUnderLmk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = self.0.chars().next().filter(char::is_ascii_uppercase).unwrap_or('Z');
        write!(f, "KeyUnderLmk({scheme}, {} characters)", self.0.len())
    }
}

/// A PIN under the LMK: opaque, good only inside the HSM that made it.
#[derive(Clone, PartialEq, Eq)]
pub struct PinUnderLmk(String);

impl PinUnderLmk {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PinUnderLmk {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for PinUnderLmk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PinUnderLmk(…)")
    }
}
