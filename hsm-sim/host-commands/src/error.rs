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

/// Error codes in words.
pub fn meaning(code: &str) -> &'static str {
    match code {
        "00" => "no error",
        "01" => "verification failed, or imported key parity fixed",
        "02" => "key length wrong for algorithm",
        "04" => "invalid key type code",
        "05" => "invalid key length flag",
        "10" => "source key parity error",
        "11" => "destination key parity error",
        "13" => "LMK error",
        "14" => "PIN under LMK invalid",
        "15" => "invalid input data",
        "20" => "PIN block does not hold valid values",
        "22" => "invalid account number",
        "23" => "invalid PIN block format code",
        "24" => "PIN length outside 4 to 12",
        "26" => "invalid key scheme",
        "27" => "incompatible key length",
        "28" => "invalid key type",
        "29" => "key function not permitted",
        "41" => "internal error",
        "68" => "command disabled or not offered",
        "80" => "data length error",
        _ => "see the device's manual",
    }
}
