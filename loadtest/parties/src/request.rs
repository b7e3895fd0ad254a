//! A request, ready to be sent.

use std::sync::Arc;

use bytes::Bytes;
use iso8583::{Fields, Spec};

use crate::{Error, SessionKeys, mac};

/// Fields and the bytes made of them, both wiped on drop; `Debug` shows which fields there are.
#[derive(Clone)]
pub struct Request {
    fields: Fields,
    wire: Bytes,
    spec: Arc<Spec>,
    /// The keys of its MAC; `None` when it has none.
    keys: Option<Arc<SessionKeys>>,
}

impl Request {
    /// Encodes the fields; with keys, a MAC is put where it belongs.
    pub fn seal(mut fields: Fields, spec: &Arc<Spec>, keys: Option<&Arc<SessionKeys>>) -> Result<Self, Error> {
        let wire = mac::seal(spec, &mut fields, keys.map(|keys| &keys.tak))?;
        Ok(Self { fields, wire, spec: Arc::clone(spec), keys: keys.cloned() })
    }

    /// What was encoded, the MAC included.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The message without framing; cheap to clone.
    pub fn wire(&self) -> &Bytes {
        &self.wire
    }

    pub fn mti(&self) -> &str {
        self.fields.mti()
    }

    /// DE 11.
    pub fn stan(&self) -> &str {
        self.fields.text(11).unwrap_or_default()
    }

    /// DE 7.
    pub fn transmission(&self) -> &str {
        self.fields.text(7).unwrap_or_default()
    }

    /// DE 37.
    pub fn rrn(&self) -> Option<&str> {
        self.fields.text(37)
    }

    pub fn has_mac(&self) -> bool {
        self.keys.is_some()
    }

    /// The MTI its answer must have: 0210 to 0200 and to 0201, 0430 to 0421.
    pub fn answer_mti(&self) -> String {
        let mti = self.mti();
        let function = match mti.get(2..3) {
            Some("0") => '1',
            _ => '3',
        };
        format!("{}{function}0", mti.get(..2).unwrap_or_default())
    }

    /// The same message sent again: MTI xxx1, everything else as it was, MACed again.
    pub fn as_repeat(&self) -> Result<Self, Error> {
        let mut fields = self.fields.clone();
        let family = self.mti().get(..3).unwrap_or_default();
        fields.set_mti(&format!("{family}1"));
        Self::seal(fields, &self.spec, self.keys.as_ref())
    }

    /// For people, card data masked.
    pub fn describe(&self) -> String {
        let (message, _) = self.spec.decode_partial(&self.wire);
        iso8583::describe(&self.spec, &message)
    }

    pub(crate) fn spec(&self) -> &Arc<Spec> {
        &self.spec
    }

    pub(crate) fn keys(&self) -> Option<&SessionKeys> {
        self.keys.as_deref()
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("fields", &self.fields)
            .field("has_mac", &self.has_mac())
            .finish_non_exhaustive()
    }
}
