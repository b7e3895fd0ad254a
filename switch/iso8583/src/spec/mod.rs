//! Specs as data: reading, `extends`, compiling.

pub(crate) mod compile;
pub(crate) mod file;
pub(crate) mod layout;
mod presence;

use std::path::Path;
use std::sync::Arc;

pub use file::Version;
pub use presence::PresenceFault;

use crate::plan::{Encoding, FieldInfo, LayoutId, Plan};
use file::SpecFile;
use layout::Layout;

/// Why a spec cannot be used: the file, the place in it, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("spec {file}: {place}: {fault}")]
pub struct SpecError {
    pub file: String,
    pub place: String,
    pub fault: String,
}

impl SpecError {
    pub(crate) fn new(file: &str, place: impl Into<String>, fault: impl Into<String>) -> Self {
        Self { file: file.to_owned(), place: place.into(), fault: fault.into() }
    }
}

/// A compiled dialect.
#[derive(Debug)]
pub struct Spec {
    name: String,
    description: String,
    version: Version,
    pub(crate) mti: Encoding,
    pub(crate) bitmap: Encoding,
    /// The second bitmap is there even where bit 1 is not set.
    pub(crate) both_bitmaps: bool,
    pub(crate) layouts: Vec<Layout>,
    pub(crate) plans: Vec<Option<Plan>>,
    infos: Vec<Option<FieldInfo>>,
    presence: Vec<presence::Presence>,
}

/// One spec of those inside the library.
struct Builtin {
    name: &'static str,
    text: &'static str,
    /// Bases are only extended.
    is_complete: bool,
}

macro_rules! builtin {
    ($($kind:ident $name:literal)*) => {
        [$(Builtin {
            name: $name,
            text: include_str!(concat!("../../../../specs/", $name, ".json")),
            is_complete: builtin!(@$kind),
        }),*]
    };
    (@dialect) => { true };
    (@base) => { false };
}

static BUILTIN: &[Builtin] = &builtin! {
    base "iso87"
    dialect "iso87ascii"
    dialect "iso87binary"
    dialect "iso87ebcdic"
    dialect "iso87ascii-binary-bitmap"
    base "iso93"
    dialect "iso93ascii"
    dialect "iso93binary"
    dialect "cmf"
    dialect "base1"
    dialect "postpack"
};

/// `extends` may not go deeper than this.
const DEPTH_MAX: usize = 8;

impl Spec {
    /// A dialect that comes with the library.
    pub fn builtin(name: &str) -> Result<Arc<Self>, SpecError> {
        finish(name, read_builtin(name)?, &read_builtin)
    }

    /// Names of the complete builtin dialects (bases are left out).
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().filter(|builtin| builtin.is_complete).map(|builtin| builtin.name)
    }

    /// A dialect from a file. What it extends is looked for beside it, then among the builtin ones.
    pub fn load(path: &Path) -> Result<Arc<Self>, SpecError> {
        let shown = path.display().to_string();
        let read = |path: &Path| {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| {
                SpecError::new(&shown, "file", format!("cannot be read: {error}; name a JSON file of a spec"))
            })?;
            file::parse(&shown, &text)
        };
        let beside = |name: &str| match path.parent().map(|folder| folder.join(format!("{name}.json"))) {
            Some(path) if path.is_file() => read(&path),
            _ => read_builtin(name),
        };
        finish(&shown, read(path)?, &beside)
    }

    /// The JSON Schema of spec files, for editors: `specs/spec.schema.json`.
    pub fn schema() -> String {
        file::schema()
    }

    /// A dialect from the text of a file that extends nothing or a builtin one.
    pub fn parse(text: &str) -> Result<Arc<Self>, SpecError> {
        finish("text", file::parse("text", text)?, &read_builtin)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// For readers.
    pub fn description(&self) -> &str {
        &self.description
    }

    pub fn version(&self) -> Version {
        self.version
    }

    pub fn field(&self, de: u8) -> Option<&FieldInfo> {
        self.infos.get(usize::from(de))?.as_ref()
    }

    /// What is wrong with a message's set of data elements, by what the spec says of its MTI.
    pub fn presence_faults(&self, message: &crate::Message<'_>) -> Vec<PresenceFault> {
        presence::faults(&self.presence, message.mti(), message.present())
    }

    #[inline]
    pub(crate) fn plan(&self, de: u8) -> Option<&Plan> {
        self.plans.get(usize::from(de))?.as_ref()
    }

    pub(crate) fn layout(&self, id: LayoutId) -> Option<&Layout> {
        self.layouts.get(usize::from(id.0))
    }
}

fn read_builtin(name: &str) -> Result<SpecFile, SpecError> {
    let known = BUILTIN.iter().find(|builtin| builtin.name == name).ok_or_else(|| {
        let names: Vec<&str> = Spec::builtin_names().collect();
        SpecError::new(name, "name", format!("no such spec; write one of {} or the path of a file", names.join(", ")))
    })?;
    file::parse(name, known.text)
}

/// A builtin spec with all it takes from others, as a file.
pub(crate) fn resolved(name: &str) -> Result<SpecFile, SpecError> {
    resolve(name, read_builtin(name)?, &read_builtin)
}

fn finish(
    shown: &str,
    top: SpecFile,
    find: &dyn Fn(&str) -> Result<SpecFile, SpecError>,
) -> Result<Arc<Spec>, SpecError> {
    compile::compile(shown, &resolve(shown, top, find)?).map(Arc::new)
}

/// Lays a spec over what it extends, and that over what it extends in turn.
fn resolve(
    shown: &str,
    top: SpecFile,
    find: &dyn Fn(&str) -> Result<SpecFile, SpecError>,
) -> Result<SpecFile, SpecError> {
    let mut merged = top;
    for _ in 0..DEPTH_MAX {
        let Some(base) = merged.extends.take() else { return Ok(merged) };
        merged = merged.over(find(&base)?);
    }
    Err(SpecError::new(shown, "extends", format!("goes deeper than {DEPTH_MAX} files; is there a circle?")))
}

#[cfg(test)]
mod tests;
