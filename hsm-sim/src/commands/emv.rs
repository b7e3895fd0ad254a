//! KQ: the cryptogram of a chip card verified, and the issuer's answer made.

use payment_crypto::TdesKey;
use payment_crypto::emv::{arpc, cryptogram, master_key, script, session_key};
use payment_crypto::mac::Padding;
use subtle::ConstantTimeEq;

use super::Reply;
use crate::device::Device;
use crate::error::Code;
use crate::fields::{CipheredKey, Fields};
use crate::keys::roles;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// 0: Visa CVN 10, where the card's own key makes the cryptogram.
    Visa,
    /// 1: M/Chip, with Mastercard's session keys.
    MChip,
}

/// A MAC of an issuer script, verified in modes 3 and 4.
struct Script<'a> {
    mac: [u8; 8],
    data: &'a [u8],
}

struct Request<'a> {
    mode: u8,
    scheme: Scheme,
    mk_ac: CipheredKey<'a>,
    mk_smi: Option<CipheredKey<'a>>,
    /// The rightmost sixteen digits of account and sequence number.
    card: [u8; 8],
    atc: [u8; 2],
    unpredictable: [u8; 4],
    data: &'a [u8],
    arqc: [u8; 8],
    response_code: [u8; 2],
    script: Option<Script<'a>>,
}

impl<'a> Request<'a> {
    fn read(fields: &mut Fields<'a>) -> Result<Self, Code> {
        let mode = fields.byte("mode: 0 verify, 1 verify and answer, 2 answer, 3 and 4 with script MAC")?;
        if !(b'0'..=b'4').contains(&mode) {
            return Err(Code("04"));
        }
        let scheme = match fields.byte("scheme: 0 Visa CVN 10, 1 M/Chip")? {
            b'0' => Scheme::Visa,
            b'1' => Scheme::MChip,
            _ => return Err(Code("05")),
        };
        let with_script = matches!(mode, b'3' | b'4');
        if with_script && scheme != Scheme::Visa {
            return Err(Code("03"));
        }
        let mk_ac = fields.key("MK-AC", 16)?;
        let mk_smi = if with_script { Some(fields.key("MK-SMI", 16)?) } else { None };
        let card = fields.raw("account and sequence number")?;
        let atc = fields.raw("transaction counter")?;
        let unpredictable = fields.raw("unpredictable number")?;
        let data = if mode == b'2' { &[][..] } else { transaction_data(fields)? };
        let arqc = fields.raw("ARQC")?;
        let response_code =
            if matches!(mode, b'1' | b'2' | b'4') { fields.raw("authorisation response code")? } else { [0; 2] };
        let script = if with_script {
            let mac = fields.raw("script MAC")?;
            let length = fields.length("length of script data", 2)?;
            Some(Script { mac, data: fields.bytes("script data", length).map_err(|_| Code("82"))? })
        } else {
            None
        };
        Ok(Self { mode, scheme, mk_ac, mk_smi, card, atc, unpredictable, data, arqc, response_code, script })
    }

    /// The card's key, and the key that made its cryptogram.
    fn keys(&self, mk_ac: &TdesKey) -> Result<(TdesKey, TdesKey), Code> {
        let card = master_key::from_data(mk_ac, self.card)?;
        let session = match self.scheme {
            Scheme::Visa => TdesKey::from_bytes(card.bytes())?,
            Scheme::MChip => session_key::mastercard(&card, self.atc, self.unpredictable)?,
        };
        Ok((card, session))
    }

    /// Data in whole blocks was padded by its sender.
    fn padding(&self) -> Padding {
        match self.scheme {
            Scheme::Visa => Padding::Zeros,
            Scheme::MChip if self.data.len().is_multiple_of(8) => Padding::Zeros,
            Scheme::MChip => Padding::Bit,
        }
    }
}

fn transaction_data<'a>(fields: &mut Fields<'a>) -> Result<&'a [u8], Code> {
    let length = fields.length("length of transaction data", 2)?;
    if length == 0 {
        return Err(Code("81"));
    }
    let data = fields.bytes("transaction data", length).map_err(|_| Code::DATA_LENGTH)?;
    if fields.delimiter(b';') { Ok(data) } else { Err(Code::DATA_LENGTH) }
}

/// KQ. The right cryptogram follows error 01 where the device is set to tell and authorised.
pub fn verify_cryptogram(device: &Device, fields: &mut Fields<'_>) -> Result<Reply, Code> {
    let request = Request::read(fields)?;
    let vault = fields.end()?;
    let mk_ac = vault.open(&request.mk_ac, roles::MK_AC, Code::SOURCE_PARITY)?;
    let (card, session) = request.keys(mk_ac.tdes()?)?;
    if request.mode != b'2' {
        let right = cryptogram::generate(&session, request.padding(), request.data)?;
        if !bool::from(right.ct_eq(&request.arqc)) {
            let tells = device.policy().diagnostics && device.is_authorised();
            let fields = if tells { right.to_vec() } else { Vec::new() };
            return Ok(Reply { code: Code::VERIFICATION_FAILED, fields });
        }
    }
    if let (Some(mk_smi), Some(stated)) = (&request.mk_smi, &request.script) {
        let mk_smi = vault.open(mk_smi, roles::MK_SMI, Code::DESTINATION_PARITY)?;
        let integrity = session_key::visa(&master_key::from_data(mk_smi.tdes()?, request.card)?, request.atc)?;
        if !bool::from(script::mac(&integrity, stated.data)?.ct_eq(&stated.mac)) {
            return Err(Code("06"));
        }
    }
    match request.mode {
        // Both schemes answer with the card's own key.
        b'1' | b'2' | b'4' => Ok(Reply::ok(arpc::method1(&card, request.arqc, request.response_code))),
        _ => Ok(Reply::ok("")),
    }
}
