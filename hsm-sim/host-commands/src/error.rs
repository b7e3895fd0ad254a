//! What can go wrong with a command, and the meaning of the HSM's error codes.

/// Never holds card data, a key or a PIN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HsmError {
    /// No HSM could be asked, or none answered in time.
    #[error("HSM unavailable: {0}")]
    Unavailable(String),
    /// The HSM answered with an error code.
    #[error("HSM refused {command} with error {code}: {meaning}")]
    Refused { command: &'static str, code: String, meaning: &'static str },
    /// What was asked, or what was answered, is not of the protocol's form.
    #[error("HSM protocol: {0}")]
    Protocol(String),
}

/// The meaning of an error code, where public sources agree on one.
pub fn meaning(code: &str) -> &'static str {
    match code {
        "00" => "no error",
        "01" => "verification failed, or imported key parity fixed",
        "02" => "key length wrong for the algorithm",
        "03" => "number of components",
        "04" => "key type code",
        "05" => "key length flag or hash identifier",
        "10" => "source key parity",
        "11" => "destination key parity",
        "12" => "user storage",
        "13" => "LMK identifier or parity",
        "14" => "PIN under LMK invalid",
        "15" => "input data",
        "16" => "printer",
        "17" => "not authorised",
        "18" => "no document format",
        "19" => "Diebold table",
        "20" => "PIN block content",
        "21" => "index",
        "22" => "account number",
        "23" => "PIN block format code",
        "24" => "PIN length",
        "25" => "decimalisation table",
        "26" => "key scheme",
        "27" => "key length",
        "28" => "key type",
        "29" => "key function not permitted",
        "30" => "reference number",
        "40" => "firmware checksum",
        "41" => "internal error",
        "42" => "DES fault",
        "47" => "algorithm not licensed",
        "67" => "command not licensed",
        "68" => "command disabled",
        "69" => "PIN block format disabled",
        "80" => "data length",
        _ => "not documented",
    }
}
