//! Cards that the issuer is told of. All others exist too: see [`super::IssuerSettings::opening_minor`].

use iso8583::domain::Pan;
use payment_crypto::Pin;

use super::NetworkError;
use crate::network::behaviour::decline_code;

/// `Debug` shows the masked number.
#[derive(Clone, Debug)]
pub struct IssuerCard {
    pub(super) pan: Pan,
    pub(super) pin: Option<Pin>,
    pub(super) balance_minor: Option<u64>,
    pub(super) decline: Option<[u8; 2]>,
}

impl IssuerCard {
    pub fn new(pan: &str) -> Result<Self, NetworkError> {
        let pan = Pan::parse(pan).map_err(|fault| NetworkError::Cards(fault.to_string()))?;
        Ok(Self { pan, pin: None, balance_minor: None, decline: None })
    }

    /// The PIN that is right.
    pub fn with_pin(mut self, pin: &str) -> Result<Self, NetworkError> {
        self.pin = Some(Pin::parse(pin).map_err(|fault| NetworkError::Cards(fault.to_string()))?);
        Ok(self)
    }

    /// What is on its account, in minor units, when it is first used.
    pub fn with_balance(mut self, minor: u64) -> Self {
        self.balance_minor = Some(minor);
        self
    }

    /// The code every request gets, like 41 for a lost card.
    pub fn declined_with(mut self, code: &str) -> Result<Self, NetworkError> {
        self.decline = Some(decline_code(code).ok_or_else(|| NetworkError::Code(code.to_owned()))?);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_checked_and_masked() {
        let card = IssuerCard::new("9999980000000007").unwrap().with_pin("4711").unwrap();
        let shown = format!("{card:?}");
        assert!(shown.contains("999998******0007") && !shown.contains("4711"), "{shown}");
        assert!(IssuerCard::new("x").is_err() && card.clone().with_pin("1").is_err());
        assert!(card.clone().declined_with("00").is_err() && card.declined_with("41").is_ok());
    }
}
