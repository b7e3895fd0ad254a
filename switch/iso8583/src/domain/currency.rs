//! Currencies (ISO 4217).

/// A currency of ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// By its three-digit number: 710.
    pub fn numeric(number: u16) -> Option<Self> {
        iso_currency::Currency::from_numeric(number).map(Self)
    }

    /// By its three letters: ZAR.
    pub fn named(code: &str) -> Option<Self> {
        iso_currency::Currency::from_code(code).map(Self)
    }

    /// By number or letters, as people write it.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().map_or_else(|_| Self::named(text), Self::numeric)
    }

    pub fn number(self) -> u16 {
        self.0.numeric()
    }

    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Decimals of the minor unit; 0 for those without one.
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}
