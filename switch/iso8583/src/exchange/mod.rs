//! Specs of other libraries, read into ours, and ours written for them. What cannot be expressed is named, never left
//! out in silence.

mod jpos;
mod moov;
mod pyiso8583;

use crate::plan::Class;
use crate::spec::file::{EncodingName, FieldFile, SpecFile};
use crate::spec::{Spec, SpecError};

/// Whose specs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// XML for jPOS's `GenericPackager`.
    Jpos,
    /// JSON for moov-io/iso8583, in either of its dialects.
    Moov,
    /// A Python dictionary for pyiso8583.
    Pyiso8583,
}

/// What could not be expressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Where it stands in the spec it is from.
    pub place: String,
    pub what: String,
}

/// The text of a spec, and what it does not say of the one it was made from.
#[derive(Clone, Debug)]
pub struct Exchanged {
    pub text: String,
    pub losses: Vec<Loss>,
}

/// Why there is nothing to exchange.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    #[error("{place}: {fault}")]
    Unreadable { place: String, fault: String },
    /// What was read is no spec of ours.
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error("specs are not written for this library; write them for moov")]
    NotWritten,
}

impl ExchangeError {
    fn unreadable(place: impl Into<String>, fault: impl Into<String>) -> Self {
        Self::Unreadable { place: place.into(), fault: fault.into() }
    }
}

/// The largest text that is read, in bytes.
const TEXT_MAX: usize = 4 * 1024 * 1024;

/// Our spec for one of another library. `name` is what ours is to be called; of a Python file with several
/// dictionaries the one of this name is taken.
pub fn import(library: Library, name: &str, text: &str) -> Result<Exchanged, ExchangeError> {
    if text.len() > TEXT_MAX {
        return Err(ExchangeError::unreadable("file", format!("is longer than {TEXT_MAX} bytes")));
    }
    let mut losses = Losses(Vec::new());
    let mut spec = match library {
        Library::Jpos => jpos::read(text, &mut losses)?,
        Library::Moov => moov::read(text, &mut losses)?,
        Library::Pyiso8583 => pyiso8583::read(text, name, &mut losses)?,
    };
    name.clone_into(&mut spec.name);
    mark_sensitive(&mut spec);
    let text = spec.to_json();
    Spec::parse(&text)?;
    Ok(Exchanged { text, losses: losses.0 })
}

/// A builtin spec for another library.
pub fn export(library: Library, name: &str) -> Result<Exchanged, ExchangeError> {
    let spec = crate::spec::resolved(name)?;
    match library {
        Library::Moov => {
            let mut losses = Losses(Vec::new());
            let text = moov::write(&spec, &mut losses);
            Ok(Exchanged { text, losses: losses.0 })
        }
        Library::Jpos | Library::Pyiso8583 => Err(ExchangeError::NotWritten),
    }
}

struct Losses(Vec<Loss>);

impl Losses {
    fn add(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.0.push(Loss { place: place.into(), what: what.into() });
    }
}

/// No other library says what must not be shown: what is secret in every edition of the standard is marked here.
fn mark_sensitive(spec: &mut SpecFile) {
    let Ok(base) = crate::spec::resolved("iso87ascii") else { return };
    for key in ["2", "14", "34", "35", "36", "45", "52", "55", "64", "96", "128"] {
        if let (Some(Some(field)), Some(Some(known))) = (spec.fields.get_mut(key), base.fields.get(key)) {
            field.sensitive = known.sensitive;
        }
    }
}

/// A field of a class and an encoding, its length still to be said.
fn field(name: &str, class: Class, encoding: EncodingName) -> FieldFile {
    FieldFile {
        name: name.to_owned(),
        class,
        length: None,
        max: None,
        prefix: None,
        prefix_encoding: None,
        prefix_counts: None,
        prefix_includes_itself: false,
        encoding: Some(encoding),
        odd_side: None,
        odd_spare: None,
        fill: None,
        fill_side: None,
        sensitive: None,
        parts: None,
    }
}

#[cfg(test)]
mod tests;
