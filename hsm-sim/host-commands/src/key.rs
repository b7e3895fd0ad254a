//! Keys and PINs enciphered under the local master key (LMK): useless without the HSM, but still shown to nobody.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A key under the LMK as the HSM gives it: a scheme letter, then hexadecimal digits; storable.
#[derive(Clone, PartialEq, Eq, Hash, Zeroize, ZeroizeOnDrop)]
pub struct KeyUnderLmk(String);

impl KeyUnderLmk {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for KeyUnderLmk {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for KeyUnderLmk {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Debug for KeyUnderLmk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = self.0.chars().next().filter(|letter| matches!(letter, 'U' | 'T' | 'X' | 'Y' | 'Z' | 'S'));
        write!(f, "KeyUnderLmk({}, {} characters)", scheme.unwrap_or('-'), self.0.len())
    }
}

/// A PIN under the LMK, opaque: its form is the HSM's own.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
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
        f.write_str("PinUnderLmk(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_masked() {
        let key = KeyUnderLmk::from(format!("U{}", "0123456789ABCDEF".repeat(2)));
        assert_eq!(format!("{key:?}"), "KeyUnderLmk(U, 33 characters)");
        assert_eq!(format!("{:?}", KeyUnderLmk::from("0406FBB23A5214DF")), "KeyUnderLmk(-, 16 characters)");
        assert_eq!(format!("{:?}", PinUnderLmk::from("01234".to_owned())), "PinUnderLmk(****)");
    }
}
