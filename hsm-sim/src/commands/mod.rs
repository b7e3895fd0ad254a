//! The commands offered, one row each. A command that has no row answers 68.

mod cards;
mod check_values;
mod data;
mod device_state;
mod diagnostics;
mod dukpt;
mod emv;
mod ibm_offset;
mod macs;
mod make_keys;
mod pin_translation;
mod pins_under_lmk;
mod pvv;
mod rsa_keys;
mod table;
mod translate_keys;

pub use table::TABLE;

use zeroize::Zeroize;

use crate::device::Device;
use crate::error::Code;
use crate::fields::Fields;

/// A row of the table.
pub struct Command {
    pub code: &'static [u8; 2],
    /// What it does, in a line.
    pub does: &'static str,
    /// How sure it is: exact, layout alone, or our reading.
    pub sure: &'static str,
    /// Letters of the open sources it follows, which `README.md` names.
    pub source: &'static str,
    /// The fields behind the error code 00.
    pub answer: &'static [Part],
    pub(crate) run: fn(&Device, &mut Fields<'_>) -> Result<Reply, Code>,
    /// Takes long enough to be run apart from others.
    pub slow: bool,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Command {}

impl Command {
    /// The two characters.
    pub fn name(&self) -> &'static str {
        std::str::from_utf8(self.code).unwrap_or("??")
    }
}

/// A field of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// So many characters.
    Fixed(&'static str, usize),
    /// A key, whose length its scheme letter tells, or single length without one.
    Key(&'static str),
    /// All that is left.
    Rest(&'static str),
}

/// The row of a command.
pub fn find(command: [u8; 2]) -> Option<&'static Command> {
    TABLE.iter().find(|row| *row.code == command)
}

/// The table of `README.md`: one row for each command.
pub fn markdown() -> String {
    let mut text = String::from("| command | does | how sure | source |\n|---|---|---|---|\n");
    for row in &TABLE {
        text += &format!("| {} | {} | {} | {} |\n", row.name(), row.does, row.sure, row.source);
    }
    text
}

/// An accepted command's error code (usually `00`) and the fields behind it.
pub struct Reply {
    pub(crate) code: Code,
    pub(crate) fields: Vec<u8>,
}

impl Reply {
    fn ok(fields: impl Into<Vec<u8>>) -> Self {
        Self { code: Code::OK, fields: fields.into() }
    }

    pub(crate) fn error(code: Code) -> Self {
        Self { code, fields: Vec::new() }
    }

    /// 00, or 01 where something did not verify.
    fn verdict(right: bool) -> Self {
        Self::error(if right { Code::OK } else { Code::VERIFICATION_FAILED })
    }
}

impl Drop for Reply {
    /// Answers may hold clear PINs and data.
    fn drop(&mut self) {
        self.fields.zeroize();
    }
}
