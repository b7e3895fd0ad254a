//! Specs as data: reading, `extends`, compiling.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::LAST_DATA_ELEMENT;
use crate::plan::{Class, Encoding, FieldInfo, Length, Plan, Sensitivity, Side};

/// Why a spec cannot be used: the file, the place in it, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("spec {file}: {place}: {fault}")]
pub struct SpecError {
    pub file: String,
    pub place: String,
    pub fault: String,
}

/// A compiled dialect.
#[derive(Debug)]
pub struct Spec {
    name: String,
    pub(crate) mti: Encoding,
    pub(crate) bitmap: Encoding,
    pub(crate) plans: Vec<Option<Plan>>,
    infos: Vec<Option<FieldInfo>>,
}

/// The specs inside the library.
const BUILTIN: [(&str, &str); 3] = [
    ("iso87", include_str!("../../../specs/iso87.json")),
    ("iso87ascii", include_str!("../../../specs/iso87ascii.json")),
    ("iso87binary", include_str!("../../../specs/iso87binary.json")),
];

/// Names of complete builtin dialects (bases are left out).
const COMPLETE: [&str; 2] = ["iso87ascii", "iso87binary"];

/// `extends` may not go deeper than this.
const DEPTH_MAX: usize = 8;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecFile {
    name: String,
    #[serde(default)]
    #[allow(dead_code, reason = "for readers of the file")]
    description: String,
    extends: Option<String>,
    mti: Option<Encoding>,
    bitmap: Option<Encoding>,
    encodings: Option<Encodings>,
    odd_digits: Option<OddDigits>,
    #[serde(default)]
    fields: BTreeMap<String, FieldFile>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encodings {
    prefix: Encoding,
    n: Encoding,
    ans: Encoding,
    z: Encoding,
    #[serde(rename = "x+n")]
    signed: Encoding,
    b: Encoding,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OddDigits {
    fixed: Side,
    variable: Side,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFile {
    name: String,
    class: Class,
    /// Fixed length, or …
    length: Option<u16>,
    /// … the longest value behind a prefix of this many digits.
    max: Option<u16>,
    prefix: Option<u8>,
    encoding: Option<Encoding>,
    sensitive: Option<Sensitivity>,
}

impl Spec {
    /// A dialect that comes with the library.
    pub fn builtin(name: &str) -> Result<Arc<Self>, SpecError> {
        let file = read_builtin(name)?;
        compile(name, resolve(name, file, &read_builtin)?)
    }

    pub fn builtin_names() -> &'static [&'static str] {
        &COMPLETE
    }

    /// A dialect from a file. What it extends is looked for beside it, then among the builtin ones.
    pub fn load(path: &Path) -> Result<Arc<Self>, SpecError> {
        let shown = path.display().to_string();
        let read = |path: &Path| {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|error| fault(&shown, "file", format!("cannot be read: {error}")))?;
            parse(&shown, &text)
        };
        let beside = |name: &str| match path.parent().map(|folder| folder.join(format!("{name}.json"))) {
            Some(path) if path.is_file() => read(&path),
            _ => read_builtin(name),
        };
        compile(&shown, resolve(&shown, read(path)?, &beside)?)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn field(&self, de: u8) -> Option<&FieldInfo> {
        self.infos.get(usize::from(de))?.as_ref()
    }

    pub(crate) fn plan(&self, de: u8) -> Option<&Plan> {
        self.plans.get(usize::from(de))?.as_ref()
    }
}

fn fault(file: &str, place: impl Into<String>, fault: impl Into<String>) -> SpecError {
    SpecError { file: file.to_owned(), place: place.into(), fault: fault.into() }
}

fn read_builtin(name: &str) -> Result<SpecFile, SpecError> {
    let text = BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text).ok_or_else(|| {
        fault(name, "name", format!("no such spec; write one of {} or the path of a file", COMPLETE.join(", ")))
    })?;
    parse(name, text)
}

fn parse(file: &str, text: &str) -> Result<SpecFile, SpecError> {
    serde_json::from_str(text)
        .map_err(|error| fault(file, format!("line {} column {}", error.line(), error.column()), error.to_string()))
}

/// Lays a spec over what it extends, and that over what it extends in turn.
fn resolve(
    shown: &str,
    top: SpecFile,
    find: &dyn Fn(&str) -> Result<SpecFile, SpecError>,
) -> Result<SpecFile, SpecError> {
    let mut merged = top;
    for _ in 0..DEPTH_MAX {
        let Some(base_name) = merged.extends.take() else { return Ok(merged) };
        let base = find(&base_name)?;
        let mut fields = base.fields;
        fields.extend(merged.fields);
        merged = SpecFile {
            fields,
            extends: base.extends,
            mti: merged.mti.or(base.mti),
            bitmap: merged.bitmap.or(base.bitmap),
            encodings: merged.encodings.or(base.encodings),
            odd_digits: merged.odd_digits.or(base.odd_digits),
            ..merged
        };
    }
    Err(fault(shown, "extends", format!("goes deeper than {DEPTH_MAX} files; is there a circle?")))
}

fn compile(file: &str, source: SpecFile) -> Result<Arc<Spec>, SpecError> {
    let mti = source.mti.ok_or_else(|| fault(file, "mti", "missing; write \"ascii\" or \"bcd\""))?;
    let bitmap = source.bitmap.ok_or_else(|| fault(file, "bitmap", "missing; write \"hex\" or \"binary\""))?;
    let encodings = source
        .encodings
        .ok_or_else(|| fault(file, "encodings", "missing; write one encoding for each class and the prefix"))?;
    if !matches!(mti, Encoding::Ascii | Encoding::Bcd) {
        return Err(fault(file, "mti", "write \"ascii\" or \"bcd\""));
    }
    if !matches!(bitmap, Encoding::Hex | Encoding::Binary) {
        return Err(fault(file, "bitmap", "write \"hex\" or \"binary\""));
    }
    if !matches!(encodings.prefix, Encoding::Ascii | Encoding::Bcd) {
        return Err(fault(file, "encodings.prefix", "write \"ascii\" or \"bcd\""));
    }
    let odd = source.odd_digits.unwrap_or(OddDigits { fixed: Side::Left, variable: Side::Right });
    let size = usize::from(LAST_DATA_ELEMENT) + 1;
    let mut spec = Spec { name: source.name, mti, bitmap, plans: vec![None; size], infos: vec![None; size] };
    for (key, field) in &source.fields {
        let place = format!("fields.{key}");
        let de: u8 = key
            .parse()
            .ok()
            .filter(|de| (2..=LAST_DATA_ELEMENT).contains(de))
            .ok_or_else(|| fault(file, &place, "is no data element; write a number from 2 to 128"))?;
        let plan = compile_field(field, encodings, odd).map_err(|error| fault(file, place, error))?;
        let max = match plan.length {
            Length::Fixed(length) => length,
            Length::Variable { max, .. } => max,
        };
        let info = FieldInfo {
            name: field.name.clone(),
            sensitivity: field.sensitive,
            is_binary: plan.class == Class::Binary,
            max,
        };
        if let (Some(slot), Some(info_slot)) =
            (spec.plans.get_mut(usize::from(de)), spec.infos.get_mut(usize::from(de)))
        {
            (*slot, *info_slot) = (Some(plan), Some(info));
        }
    }
    Ok(Arc::new(spec))
}

fn compile_field(field: &FieldFile, encodings: Encodings, odd: OddDigits) -> Result<Plan, &'static str> {
    let encoding = field.encoding.unwrap_or(match field.class {
        Class::Numeric => encodings.n,
        Class::Text => encodings.ans,
        Class::Track => encodings.z,
        Class::SignedAmount => encodings.signed,
        Class::Binary => encodings.b,
    });
    match (field.class, encoding) {
        (Class::Binary, Encoding::Hex | Encoding::Binary)
        | (Class::Numeric | Class::Track | Class::SignedAmount, Encoding::Ascii | Encoding::Bcd)
        | (Class::Text, Encoding::Ascii) => {}
        (Class::Binary, _) => return Err("class b is written \"hex\" or \"binary\""),
        (Class::Text, _) => return Err("class ans is written \"ascii\""),
        _ => return Err("classes n, z and x+n are written \"ascii\" or \"bcd\""),
    }
    let packed = encodings.prefix == Encoding::Bcd;
    let length = match (field.length, field.max, field.prefix) {
        (Some(length @ 1..=999), None, None) => Length::Fixed(length),
        (None, Some(max @ 1..=9999), Some(digits @ 1..=4)) => Length::Variable { digits, packed, max },
        _ => return Err("write either \"length\" (1 to 999) or \"max\" with \"prefix\" (1 to 4 digits)"),
    };
    if field.class == Class::SignedAmount && !matches!(length, Length::Fixed(2..)) {
        return Err("class x+n has a fixed length of at least 2");
    }
    let odd = if matches!(length, Length::Fixed(_)) { odd.fixed } else { odd.variable };
    Ok(Plan { class: field.class, encoding, length, odd })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtin_specs_compile() {
        for name in Spec::builtin_names() {
            let spec = Spec::builtin(name).unwrap();
            assert!((2..=LAST_DATA_ELEMENT).all(|de| spec.field(de).is_some()), "{name} leaves no data element out");
        }
        assert!(Spec::builtin("iso87").is_err(), "the base is not complete");
        assert!(Spec::builtin("nonsense").is_err());
    }

    #[test]
    fn errors_name_file_place_and_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let cases = [
            (
                r#"{"name":"x","extends":"iso87ascii","fields":{"129":{"name":"a","class":"n","length":1}}}"#,
                "fields.129",
            ),
            (r#"{"name":"x","extends":"iso87ascii","fields":{"3":{"name":"a","class":"n"}}}"#, "fields.3"),
            (
                r#"{"name":"x","extends":"iso87ascii","fields":{"3":{"name":"a","class":"b","length":1,"encoding":"bcd"}}}"#,
                "fields.3",
            ),
            (r#"{"name":"x","extends":"iso87ascii","nonsense":1}"#, "line 1"),
            (r#"{"name":"x","fields":{}}"#, "mti"),
            (r#"{"name":"x","extends":"x"}"#, "extends"),
        ];
        for (text, place) in cases {
            let path = dir.path().join("x.json");
            std::fs::write(&path, text).unwrap();
            let error = Spec::load(&path).unwrap_err();
            assert!(error.to_string().contains(place) && error.file.ends_with("x.json"), "{error}");
        }
    }

    #[test]
    fn a_file_may_change_one_field_of_a_builtin_spec() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.json");
        std::fs::write(
            &path,
            r#"{"name":"mine","extends":"iso87ascii","fields":{"48":{"name":"Ours","class":"n","length":4}}}"#,
        )
        .unwrap();
        let spec = Spec::load(&path).unwrap();
        assert_eq!(spec.field(48).unwrap().name, "Ours");
        assert_eq!(spec.field(11).unwrap().name, "System trace audit number");
    }
}
