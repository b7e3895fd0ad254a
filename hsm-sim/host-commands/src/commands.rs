//! The commands this platform uses, as calls. Layouts are those of the table in `hsm-sim/README.md`.

use zeroize::Zeroizing;

use crate::{HsmClient, HsmError, KeyUnderLmk, PinUnderLmk};

/// NC.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    /// 16 hexadecimal digits that tell LMKs apart.
    pub lmk_check_value: String,
    pub firmware: String,
}

/// A0 mode 0.
#[derive(Clone, Debug)]
pub struct GeneratedKey {
    pub key: KeyUnderLmk,
    /// Six hexadecimal digits.
    pub kcv: String,
}

/// A0 mode 1.
#[derive(Clone, Debug)]
pub struct ExportedKey {
    pub key: KeyUnderLmk,
    /// `X` and 32 hexadecimal digits, or `R` and a TR-31 key block.
    pub exported: String,
    pub kcv: String,
}

/// Whose keys: a terminal's (TMK, TPK, TAK), or those that two institutions share (ZMK, ZPK, ZAK).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDomain {
    Terminal,
    Zone,
}

impl KeyDomain {
    /// Type code of the key that enciphers PIN blocks: TPK or ZPK.
    pub fn pin_key(self) -> &'static str {
        match self {
            Self::Terminal => "002",
            Self::Zone => "001",
        }
    }

    /// Type code of the key that makes MACs: TAK or ZAK.
    pub fn mac_key(self) -> &'static str {
        match self {
            Self::Terminal => "003",
            Self::Zone => "008",
        }
    }

    /// A0's flag of the master key that a key leaves under: TMK or ZMK.
    fn master_flag(self) -> char {
        match self {
            Self::Terminal => '1',
            Self::Zone => '0',
        }
    }
}

/// A key under the LMK that PIN blocks or MACs are made with, and whose it is.
pub type SessionKey<'a> = (KeyDomain, &'a KeyUnderLmk);

/// The form in which a key leaves under a master key.
#[derive(Clone, Copy, Debug)]
pub enum KeyExport {
    /// ECB cryptogram, scheme X.
    Ecb,
    /// TR-31 key block, scheme R.
    Tr31 { usage: [u8; 2], mode: u8, exportability: u8 },
}

/// What the HSM says of a PIN block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinVerdict {
    Right,
    Wrong,
    /// The block holds no PIN for this account: wrong key, wrong account or damage.
    BlockInvalid,
}

/// ISO 9564 format 0.
const FORMAT_0: &[u8] = b"01";

/// The usual one: hexadecimal digits modulo ten.
const DECIMALISATION_TABLE: &str = "0123456789012345";

/// TDES data encryption key.
const DEK: &[u8] = b"00B";

impl HsmClient {
    /// NC: whether the HSM is well, and which LMK it holds.
    pub async fn diagnostics(&self) -> Result<Diagnostics, HsmError> {
        let answer = self.call("NC", &[], &[]).await?;
        let (check, firmware) = answer.text("NC")?.split_at_checked(16).ok_or(HsmError::Protocol("NC"))?;
        Ok(Diagnostics { lmk_check_value: check.to_owned(), firmware: firmware.to_owned() })
    }

    /// A0 mode 0: a fresh key of a type.
    pub async fn generate_key(&self, key_type: &str, scheme: char) -> Result<GeneratedKey, HsmError> {
        let answer = self.call("A0", &[format!("0{key_type}{scheme}").as_bytes()], &[]).await?;
        let (key, kcv) = KeyUnderLmk::split(answer.text("A0")?).ok_or(HsmError::Protocol("A0"))?;
        Ok(GeneratedKey { key, kcv: kcv.to_owned() })
    }

    /// A0 mode 1: a fresh key, under the LMK and under the domain's master key.
    pub async fn generate_and_export_key(
        &self,
        domain: KeyDomain,
        key_type: &str,
        scheme: char,
        master: &KeyUnderLmk,
        export: KeyExport,
    ) -> Result<ExportedKey, HsmError> {
        let (letter, tail) = match export {
            KeyExport::Ecb => ('X', String::new()),
            KeyExport::Tr31 { usage, mode, exportability } => {
                let parts = [b"#", &usage[..], b"T2", &[mode], b"00", &[exportability], b"00"].concat();
                ('R', String::from_utf8_lossy(&parts).into_owned())
            }
        };
        let (flag, master) = (domain.master_flag(), master.as_str());
        let fields = format!("1{key_type}{scheme};{flag}{master}{letter}{tail}");
        let answer = self.call("A0", &[fields.as_bytes()], &[]).await?;
        let (key, rest) = KeyUnderLmk::split(answer.text("A0")?).ok_or(HsmError::Protocol("A0"))?;
        let (exported, kcv) = KeyUnderLmk::split(rest).ok_or(HsmError::Protocol("A0"))?;
        Ok(ExportedKey { key, exported: exported.as_str().to_owned(), kcv: kcv.to_owned() })
    }

    /// A6: a key under a zone master key taken under the LMK. `key`: with its scheme letter, `R` for a TR-31 key block.
    pub async fn import_key(
        &self,
        key_type: &str,
        zmk: &KeyUnderLmk,
        key: &str,
        scheme: char,
    ) -> Result<GeneratedKey, HsmError> {
        let fields = format!("{key_type}{}{key}{scheme}", zmk.as_str());
        let answer = self.call("A6", &[fields.as_bytes()], &["01"]).await?;
        let (key, kcv) = KeyUnderLmk::split(answer.text("A6")?).ok_or(HsmError::Protocol("A6"))?;
        Ok(GeneratedKey { key, kcv: kcv.to_owned() })
    }

    /// BW: a key from the LMK in key change storage to the live one, in the same scheme.
    pub async fn rewrap_key(&self, key_type: &str, key: &KeyUnderLmk) -> Result<KeyUnderLmk, HsmError> {
        let fields = format!("FFF{};{key_type}", key.as_str());
        let answer = self.call("BW", &[fields.as_bytes()], &[]).await?;
        match KeyUnderLmk::split(answer.text("BW")?) {
            Some((key, "")) => Ok(key),
            _ => Err(HsmError::Protocol("BW")),
        }
    }

    /// BU: six digits of a key's check value.
    pub async fn key_check_value(&self, key_type: &str, key: &KeyUnderLmk) -> Result<String, HsmError> {
        let fields = format!("FF1{};{key_type};001", key.as_str());
        Ok(self.call("BU", &[fields.as_bytes()], &[]).await?.text("BU")?.to_owned())
    }

    /// EE, NG, EE: a PIN given in clear, under the LMK, as the one whose offset to the account's natural PIN is known. The
    /// HSM must be authorised to tell PINs (NG); where it is not, PINs come in blocks (JC) or are random (JA).
    pub async fn choose_pin(&self, pvk: &KeyUnderLmk, pin: &str, account12: &str) -> Result<PinUnderLmk, HsmError> {
        let digits: Zeroizing<Vec<u8>> = Zeroizing::new(pin.bytes().map(|digit| digit.wrapping_sub(b'0')).collect());
        let natural = self.derive_pin(pvk, &vec![0; digits.len()], account12).await?;
        let natural = self.clear_pin(&natural, account12).await?;
        if natural.len() != digits.len() {
            return Err(HsmError::Protocol("NG"));
        }
        let offset: Zeroizing<Vec<u8>> = Zeroizing::new(
            digits.iter().zip(natural.iter()).map(|(wanted, natural)| (wanted + 10 - natural) % 10).collect(),
        );
        self.derive_pin(pvk, &offset, account12).await
    }

    /// EE: the PIN of an IBM offset, as long as the offset.
    async fn derive_pin(&self, pvk: &KeyUnderLmk, offset: &[u8], account12: &str) -> Result<PinUnderLmk, HsmError> {
        let length = offset.len();
        let digits: Zeroizing<String> =
            Zeroizing::new(offset.iter().map(|digit| char::from(b'0' + digit % 10)).collect());
        let validation = account12.get(..11).ok_or(HsmError::Protocol("EE"))?;
        let fields = Zeroizing::new(format!(
            "{}{:F<12}{length:02}{account12}{DECIMALISATION_TABLE}{validation}N",
            pvk.as_str(),
            digits.as_str()
        ));
        Ok(self.call("EE", &[fields.as_bytes()], &["02"]).await?.text("EE")?.to_owned().into())
    }

    /// NG: the digits of a PIN under the LMK.
    async fn clear_pin(&self, pin: &PinUnderLmk, account12: &str) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        let answer = self.call("NG", &[account12.as_bytes(), pin.as_str().as_bytes()], &[]).await?;
        let text = answer.text("NG")?.get(..pin.as_str().len()).ok_or(HsmError::Protocol("NG"))?.trim_end_matches('F');
        Ok(Zeroizing::new(text.bytes().map(|digit| digit.wrapping_sub(b'0') % 10).collect()))
    }

    /// JA: a random PIN, under the LMK.
    pub async fn random_pin(&self, account12: &str, length: u8) -> Result<PinUnderLmk, HsmError> {
        let fields = format!("{account12}{length:02}");
        Ok(self.call("JA", &[fields.as_bytes()], &[]).await?.text("JA")?.to_owned().into())
    }

    /// JC: a PIN from a terminal's block, under the LMK.
    pub async fn pin_tpk_to_lmk(
        &self,
        tpk: &KeyUnderLmk,
        block: [u8; 8],
        account12: &str,
    ) -> Result<PinUnderLmk, HsmError> {
        let block = hex::encode_upper(block);
        let fields = [tpk.as_str().as_bytes(), block.as_bytes(), FORMAT_0, account12.as_bytes()];
        Ok(self.call("JC", &fields, &[]).await?.text("JC")?.to_owned().into())
    }

    /// DG: the PIN verification value of a PIN under the LMK.
    pub async fn generate_pvv(
        &self,
        pvk: &KeyUnderLmk,
        pin: &PinUnderLmk,
        account12: &str,
        pvki: u8,
    ) -> Result<String, HsmError> {
        let fields = format!("{}{}{account12}{pvki}", pvk.as_str(), pin.as_str());
        Ok(self.call("DG", &[fields.as_bytes()], &[]).await?.text("DG")?.to_owned())
    }

    /// DC or EC: whether a PIN block of the domain holds the PIN of a verification value.
    pub async fn verify_pin_pvv(
        &self,
        (domain, pin_key): SessionKey<'_>,
        pvk: &KeyUnderLmk,
        block: [u8; 8],
        account12: &str,
        pvki: u8,
        pvv: &str,
    ) -> Result<PinVerdict, HsmError> {
        let block = hex::encode_upper(block);
        let tail = format!("{account12}{pvki}{pvv}");
        let command = match domain {
            KeyDomain::Terminal => "DC",
            KeyDomain::Zone => "EC",
        };
        let keys = [pin_key.as_str().as_bytes(), pvk.as_str().as_bytes()];
        let fields = [keys[0], keys[1], block.as_bytes(), FORMAT_0, tail.as_bytes()];
        let answer = self.call(command, &fields, &["01", "20", "24"]).await?;
        Ok(match answer.error.as_str() {
            "00" => PinVerdict::Right,
            "01" => PinVerdict::Wrong,
            _ => PinVerdict::BlockInvalid,
        })
    }

    /// M6: ISO 9797-1 algorithm 3, padding method 1, eight bytes, over a binary message.
    pub async fn generate_mac(&self, key: SessionKey<'_>, message: &[u8]) -> Result<[u8; 8], HsmError> {
        let head = mac_head(key, message)?;
        let answer = self.call("M6", &[head.as_bytes(), message], &[]).await?;
        let mac = hex::decode(answer.text("M6")?).ok().and_then(|bytes| bytes.try_into().ok());
        mac.ok_or(HsmError::Protocol("M6"))
    }

    /// M8: whether that MAC is right.
    pub async fn verify_mac(&self, key: SessionKey<'_>, message: &[u8], mac: &[u8; 8]) -> Result<bool, HsmError> {
        let head = mac_head(key, message)?;
        let mac = hex::encode_upper(mac);
        let answer = self.call("M8", &[head.as_bytes(), message, mac.as_bytes()], &["01"]).await?;
        Ok(answer.error == "00")
    }

    /// CW: a card verification value.
    pub async fn generate_cvv(
        &self,
        cvk: &KeyUnderLmk,
        pan: &str,
        date: &str,
        service_code: &str,
    ) -> Result<String, HsmError> {
        let fields = Zeroizing::new(format!("{}{pan};{date}{service_code}", cvk.as_str()));
        Ok(self.call("CW", &[fields.as_bytes()], &[]).await?.text("CW")?.to_owned())
    }

    /// M0: whole blocks of data enciphered under a data encryption key, CBC from zeros.
    pub async fn encrypt_data(&self, key: &KeyUnderLmk, clear: &[u8]) -> Result<Vec<u8>, HsmError> {
        Ok(self.crypt("M0", key, clear).await?.to_vec())
    }

    /// M2: the inverse.
    pub async fn decrypt_data(&self, key: &KeyUnderLmk, enciphered: &[u8]) -> Result<Vec<u8>, HsmError> {
        Ok(self.crypt("M2", key, enciphered).await?.to_vec())
    }

    async fn crypt(
        &self,
        command: &'static str,
        key: &KeyUnderLmk,
        data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        let data = Zeroizing::new(hex::encode_upper(data));
        let length = u16::try_from(data.len()).map_err(|_| HsmError::Protocol(command))?;
        let tail = format!("0000000000000000{length:04X}");
        let fields = [b"0111", DEK, key.as_str().as_bytes(), tail.as_bytes(), data.as_bytes()];
        let answer = self.call(command, &fields, &[]).await?;
        // The next vector (16 digits) and the length (4 digits) stand before the data.
        let text = answer.text(command)?.get(20..).ok_or(HsmError::Protocol(command))?;
        hex::decode(text).map(Zeroizing::new).map_err(|_| HsmError::Protocol(command))
    }
}

/// Mode 0 (whole message), binary input, 16 digits of MAC, algorithm 3, padding 1, key type, key, length.
fn mac_head((domain, key): SessionKey<'_>, message: &[u8]) -> Result<String, HsmError> {
    let length = u16::try_from(message.len()).map_err(|_| HsmError::Protocol("M6"))?;
    Ok(format!("00131{}{}{length:04X}", domain.mac_key(), key.as_str()))
}
