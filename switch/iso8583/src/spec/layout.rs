//! The compiled form of values that are made of parts.

use crate::plan::{Encoding, FieldInfo, Plan, Prefix, PrefixForm};

/// How parts follow each other, and which there are.
#[derive(Debug)]
pub(crate) struct Layout {
    pub shape: Shape,
    pub unknown: UnknownTag,
    /// In ascending order of number, or of tag where those are no numbers.
    pub parts: Vec<PartPlan>,
}

#[derive(Debug)]
pub(crate) struct PartPlan {
    /// As it stands in a path: a number, or a tag.
    pub key: String,
    /// The bit of a bitmap, counted from 1, or the place among positions.
    pub number: u16,
    pub plan: Plan,
    pub info: FieldInfo,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Positional,
    Bitmap { encoding: Encoding, bytes: u8 },
    Tagged { tag: TagForm, length: Prefix, length_first: bool },
    BerTlv,
}

/// How the tags of a tagged layout are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TagForm {
    /// Characters, digits or bytes.
    pub width: u8,
    pub form: PrefixForm,
}

impl TagForm {
    /// Bytes on the wire.
    pub fn size(self) -> usize {
        let width = usize::from(self.width);
        if self.form == PrefixForm::Bcd { width.div_ceil(2) } else { width }
    }
}

/// What becomes of a tag that is not among the parts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum UnknownTag {
    Reject,
    Skip,
    /// Its value is of this form.
    Keep(Plan),
}

impl Layout {
    pub fn by_key(&self, key: &str) -> Option<&PartPlan> {
        self.parts.iter().find(|part| part.key == key)
    }

    pub fn by_number(&self, number: u16) -> Option<&PartPlan> {
        self.parts.binary_search_by_key(&number, |part| part.number).ok().and_then(|at| self.parts.get(at))
    }
}
