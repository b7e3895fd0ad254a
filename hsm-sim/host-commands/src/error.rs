//! Failures of HSM commands.

/// Why a command gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HsmError {
    /// No HSM could be asked, or none answered in time.
    #[error("no HSM available: {0}")]
    Unavailable(String),
    /// The HSM answered with an error code.
    #[error("HSM refused {command} with {code}: {meaning}")]
    Refused { command: &'static str, code: String, meaning: &'static str },
    /// The HSM answered something that is not of the protocol.
    #[error("HSM answered {0} in a form the protocol does not have")]
    Protocol(&'static str),
}

/// Error codes in words. Some commands give codes below 10 a meaning of their own.
pub fn meaning(code: &str) -> &'static str {
    CODES.iter().find(|(known, _)| *known == code).map_or("see the device's manual", |(_, words)| words)
}

/// The codes of devices, as two open host libraries agree on them.
const CODES: [(&str, &str); 65] = [
    ("00", "no error"),
    ("01", "verification failed, or imported key parity fixed"),
    ("02", "key length wrong for algorithm, or invalid mode"),
    ("03", "invalid number of components, or invalid input format"),
    ("04", "invalid key type code, or invalid algorithm or output format"),
    ("05", "invalid key length flag, hash identifier or key type"),
    ("06", "invalid message length, or script MAC wrong"),
    ("07", "invalid destination mode"),
    ("08", "invalid destination key type"),
    ("09", "invalid padding method"),
    ("10", "source key parity error"),
    ("11", "destination key parity error"),
    ("12", "no such key in user storage"),
    ("13", "invalid LMK identifier"),
    ("14", "PIN under LMK invalid"),
    ("15", "invalid input data"),
    ("16", "console or printer not ready"),
    ("17", "not in the authorised state"),
    ("18", "document format not loaded"),
    ("19", "invalid Diebold table"),
    ("20", "PIN block does not hold valid values"),
    ("21", "invalid index"),
    ("22", "invalid account number"),
    ("23", "invalid PIN block format code"),
    ("24", "PIN length outside 4 to 12"),
    ("25", "decimalisation table error"),
    ("26", "invalid key scheme"),
    ("27", "incompatible key length"),
    ("28", "invalid key type"),
    ("29", "key function not permitted"),
    ("30", "invalid reference number"),
    ("33", "no LMK in key change storage, or it is corrupted"),
    ("39", "fraud detection"),
    ("40", "invalid checksum"),
    ("41", "internal error"),
    ("42", "DES failure"),
    ("47", "algorithm not licensed"),
    ("49", "private key error"),
    ("51", "invalid message header"),
    ("65", "transaction key scheme is none"),
    ("67", "command not licensed"),
    ("68", "command disabled or not offered"),
    ("69", "PIN block format disabled, or translation into it not allowed"),
    ("75", "shorter key disguised as a double or triple length key"),
    ("76", "public key length error"),
    ("78", "private key length error"),
    ("80", "data length error"),
    ("81", "PIN length not allowed, or no transaction data"),
    ("82", "invalid length of script data"),
    ("86", "PIN excluded by the device's policy"),
    ("90", "data parity error on the line"),
    ("91", "LRC error on the line"),
    ("92", "count error on the line"),
    ("A1", "incompatible LMK schemes"),
    ("A2", "incompatible LMK identifiers"),
    ("A3", "incompatible key block LMK identifiers"),
    ("A4", "key block authentication failure"),
    ("A5", "incompatible key length"),
    ("A6", "invalid key usage"),
    ("A7", "invalid algorithm"),
    ("A8", "invalid mode of use"),
    ("AA", "invalid export field"),
    ("AB", "invalid number of optional blocks"),
    ("B2", "malformed key block"),
    ("BB", "invalid wrapping key"),
];
