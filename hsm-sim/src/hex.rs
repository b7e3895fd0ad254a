//! Hexadecimal digits as the protocol has them: upper case written, either read.

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

pub fn upper(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 0x0F)]));
    }
    text
}

/// Fills `target` from twice as many digits; whether it could.
pub fn read(digits: &[u8], target: &mut [u8]) -> bool {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    digits.len() == target.len() * 2
        && target.iter_mut().zip(digits.as_chunks::<2>().0).all(|(byte, [high, low])| {
            match (value(*high), value(*low)) {
                (Some(high), Some(low)) => {
                    *byte = high << 4 | low;
                    true
                }
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits() {
        let mut bytes = [0; 3];
        assert!(read(b"00fFA9", &mut bytes));
        assert_eq!(upper(&bytes), "00FFA9");
        for wrong in [&b"00FFA"[..], b"00FFA9A", b"00FFAg", b"00FF A", b""] {
            assert!(!read(wrong, &mut bytes));
        }
    }
}
