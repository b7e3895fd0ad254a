//! The network's messages: what its terminal says, with DE 32 and 33, the PIN under the ZPK, and the MAC.

use std::sync::Arc;

use iso8583::Fields;
use payment_crypto::{Pin, pin_block};
use zeroize::Zeroize;

use super::AcquirerSide;
use crate::network::NetworkError;
use crate::{CardProfile, Error, Kind, Original, Request, Reversal, SessionKeys};

impl AcquirerSide {
    /// An 0100 or 0200.
    pub fn request(&self, kind: Kind, card: &CardProfile, amount_minor: u64) -> Result<Request, NetworkError> {
        // Read once: PIN and MAC must be under one pair, whatever is exchanged meanwhile.
        let keys = self.keys()?;
        let mut fields = self.plain(kind, card, amount_minor)?;
        if let (Some(pin), true) = (card.pin(), kind.asks_for_pin()) {
            fields.set_binary(52, pin_under(&keys, pin, card)?);
        }
        self.seal_under(&keys, fields)
    }

    /// An 0120 or 0220: it has been approved elsewhere.
    pub fn advice(&self, kind: Kind, card: &CardProfile, amount_minor: u64) -> Result<Request, NetworkError> {
        let mut fields = self.plain(kind, card, amount_minor)?;
        fields.set_mti(&format!("{}20", kind.mti().get(..2).unwrap_or_default()));
        self.seal(fields)
    }

    /// 0220 with DE 25 = 06: posts what a pre-authorization held.
    pub fn completion(
        &self,
        card: &CardProfile,
        amount_minor: u64,
        approval: &str,
        hold: &Original,
    ) -> Result<Request, NetworkError> {
        let completion = self.terminal.completion(card, amount_minor, approval, &self.named(hold))?;
        self.seal(completion.fields().clone())
    }

    /// 0400 or 0420: takes an earlier message back, all of it or down to what remains.
    pub fn reversal(&self, how: Reversal, card: &CardProfile, original: &Original) -> Result<Request, NetworkError> {
        let reversal = self.terminal.reversal(how, card, &self.named(original))?;
        self.seal(reversal.fields().clone())
    }

    /// The same message sent again: MTI xxx1, all else as it was, PIN and MAC under the keys of now.
    pub fn repeat(&self, request: &Request) -> Result<Request, NetworkError> {
        let mut fields = request.fields().clone();
        fields.set_mti(&format!("{}1", request.mti().get(..3).unwrap_or_default()));
        let keys = self.keys()?;
        if let (Some(old), Some(block)) = (request.keys(), request.fields().binary(52))
            && *old != *keys
        {
            fields.set_binary(52, translated(old, &keys, block)?);
        }
        self.seal_under(&keys, fields)
    }

    /// Any fields as a message of this network.
    pub fn seal(&self, fields: Fields) -> Result<Request, NetworkError> {
        self.seal_under(&self.keys()?, fields)
    }

    fn keys(&self) -> Result<Arc<SessionKeys>, NetworkError> {
        self.party.zone.keys().ok_or(NetworkError::NoZoneKeys)
    }

    fn seal_under(&self, keys: &Arc<SessionKeys>, mut fields: Fields) -> Result<Request, NetworkError> {
        fields.set(32, self.settings.acquirer_id.as_str());
        fields.set(33, self.party.zone.id());
        Ok(Request::seal(fields, &self.party.dialect.spec, Some(keys))?)
    }

    fn plain(&self, kind: Kind, card: &CardProfile, amount_minor: u64) -> Result<Fields, NetworkError> {
        let request = self.terminal.request(kind, &card.clone().without_pin(), amount_minor)?;
        Ok(request.fields().clone())
    }

    /// DE 90 names the institutions too.
    fn named(&self, original: &Original) -> Original {
        let mut named = original.clone();
        if let Some(data) = &mut named.data {
            self.settings.acquirer_id.clone_into(&mut data.acquirer);
            self.party.zone.id().clone_into(&mut data.forwarder);
        }
        named
    }
}

/// DE 52: ISO 9564 format 0 under the ZPK.
fn pin_under(keys: &SessionKeys, pin: &Pin, card: &CardProfile) -> Result<Vec<u8>, Error> {
    let mut clear = pin_block::format0::encode(pin, &card.pan().account12())?;
    let enciphered = keys.tpk.encrypt_block(clear);
    clear.zeroize();
    Ok(enciphered.to_vec())
}

/// DE 52 under another ZPK.
fn translated(old: &SessionKeys, new: &SessionKeys, block: &[u8]) -> Result<Vec<u8>, Error> {
    let clear = old.tpk.decrypt_ecb(block)?;
    Ok(new.tpk.encrypt_ecb(&clear)?.to_vec())
}
