//! IBM 3624: a PIN derived from an account number, and the offset of a chosen PIN to it.
//!
//! Validation data of sixteen digits is enciphered under the PVK, its hexadecimal digits turned into decimal ones by a
//! table; the first of them are the natural PIN. The offset is what must be added to it, digit by digit modulo ten.

use zeroize::Zeroizing;

use crate::{Fault, Pin, TdesKey};

/// Sixteen decimal digits, one for each hexadecimal digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecimalisationTable([u8; 16]);

impl DecimalisationTable {
    pub fn parse(digits: &str) -> Result<Self, Fault> {
        let digits: [u8; 16] = digits.as_bytes().try_into().map_err(|_| Fault::DecimalisationTable)?;
        if digits.iter().all(u8::is_ascii_digit) {
            Ok(Self(digits.map(|digit| digit - b'0')))
        } else {
            Err(Fault::DecimalisationTable)
        }
    }

    /// Whether it tells PINs apart well enough: at least eight different digits, none more than four times. A table of
    /// few digits lets an insider learn a PIN by trial (Bond and Zieliński, "Decimalisation table attacks", 2003).
    pub fn is_strong(&self) -> bool {
        let times = |digit: u8| self.0.iter().filter(|given| **given == digit).count();
        let counts: Vec<usize> = (0..10).map(times).collect();
        counts.iter().filter(|count| **count > 0).count() >= 8 && counts.iter().all(|count| *count <= 4)
    }
}

/// The natural PIN, `length` digits of it (4 to 12).
///
/// `validation_data`: sixteen hexadecimal digits, which are mostly account digits and a fill.
pub fn natural_pin(
    pvk: &TdesKey,
    table: &DecimalisationTable,
    validation_data: &str,
    length: usize,
) -> Result<Pin, Fault> {
    let digits: Option<Vec<u8>> =
        validation_data.chars().map(|character| character.to_digit(16).map(|digit| digit as u8)).collect();
    let digits: [u8; 16] = digits.and_then(|digits| digits.try_into().ok()).ok_or(Fault::Account)?;
    if !(4..=12).contains(&length) {
        return Err(Fault::PinLength);
    }
    let block = pvk.encrypt_block(std::array::from_fn(|index| digits[index * 2] << 4 | digits[index * 2 + 1]));
    let decimal = block.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]).map(|digit| table.0[usize::from(digit)]);
    Pin::from_digits(decimal.take(length).collect())
}

/// What must be added to the natural PIN to give `pin`; as long as the natural PIN, whose length `pin` reaches.
pub fn offset(natural: &Pin, pin: &Pin) -> Result<Vec<u8>, Fault> {
    let chosen = pin.digits().get(..natural.digits().len()).ok_or(Fault::PinLength)?;
    Ok(chosen.iter().zip(natural.digits()).map(|(chosen, natural)| (chosen + 10 - natural) % 10).collect())
}

/// The PIN that an offset belongs to.
pub fn pin_of_offset(natural: &Pin, offset: &[u8]) -> Result<Pin, Fault> {
    if offset.len() != natural.digits().len() || offset.iter().any(|digit| *digit > 9) {
        return Err(Fault::PinLength);
    }
    let digits: Zeroizing<Vec<u8>> =
        Zeroizing::new(offset.iter().zip(natural.digits()).map(|(offset, natural)| (offset + natural) % 10).collect());
    Pin::from_digits(digits.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    #[test]
    fn ibm3624_vectors() {
        let mut seen = 0;
        for vector in vectors::of("ibm3624") {
            let (inputs, expected) = (&vector["inputs"], &vector["expected"]);
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let pvk = TdesKey::from_bytes(&vectors::bytes(&inputs["pvk"])).unwrap();
            let table = DecimalisationTable::parse(&text(&inputs["decimalisation_table"])).unwrap();
            let length = inputs["check_length"].as_u64().unwrap() as usize;
            let natural = natural_pin(&pvk, &table, &text(&inputs["validation_data"]), length).unwrap();
            let pin = |name: &str| Pin::parse(&text(&expected[name])).unwrap();
            assert_eq!(natural, pin("natural_pin"), "{}", vector["name"]);
            let digits: Vec<u8> = text(&expected["offset"]).bytes().map(|digit| digit - b'0').collect();
            assert_eq!(offset(&natural, &pin("pin")).unwrap(), digits, "{}", vector["name"]);
            assert_eq!(pin_of_offset(&natural, &digits).unwrap(), pin("pin"));
            seen += 1;
        }
        assert!(seen >= 15);
    }

    #[test]
    fn tables_and_lengths() {
        let table = |digits: &str| DecimalisationTable::parse(digits);
        assert!(table("0123456789012345").unwrap().is_strong());
        assert!(table("8351296477461538").unwrap().is_strong());
        for weak in ["0000000000000000", "0000000000000001", "0123456012345601", "0123456789000001"] {
            assert!(!table(weak).unwrap().is_strong(), "{weak}");
        }
        assert!(table("012345678901234").is_err());
        assert!(table("012345678901234A").is_err());
        let pvk = TdesKey::from_bytes(&[1; 8]).unwrap();
        let natural = |data: &str, length| natural_pin(&pvk, &table("0123456789012345").unwrap(), data, length);
        assert!(natural("0123456789ABCDEF", 4).is_ok());
        assert!(natural("0123456789ABCDE", 4).is_err());
        assert!(natural("0123456789ABCDEG", 4).is_err());
        assert!(natural("0123456789ABCDEF", 3).is_err());
        assert!(natural("0123456789ABCDEF", 13).is_err());
    }
}
