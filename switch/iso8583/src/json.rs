//! Messages as JSON: `{"mti":…,"fields":{…}}`, texts as they are, bytes as upper-case hexadecimal, parts as objects.
//!
//! Members keep their order, which matters for tags; a tag that comes more than once is a list of its values in the place
//! of the first, so that tags which stand between them change places with them.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::domain::mask_digits;
use crate::encode::EncodeError;
use crate::fields::Fields;
use crate::message::Message;
use crate::plan::{Class, LayoutId, Plan, Sensitivity};
use crate::spec::Spec;
use crate::value::{Parts, Value};
use crate::wire::from_hex;

/// A value that may be shown.
pub fn masked(sensitivity: Option<Sensitivity>, value: &str) -> String {
    match sensitivity {
        None => value.to_owned(),
        Some(Sensitivity::Pan) => mask_digits(value),
        Some(Sensitivity::Track) => {
            let pan = value.split(['=', 'D', '^']).next().unwrap_or_default();
            format!("{}{}", mask_digits(pan), "*".repeat(value.len() - pan.len()))
        }
        Some(Sensitivity::Pin | Sensitivity::Mac | Sensitivity::Key | Sensitivity::Emv | Sensitivity::Card) => {
            "*".repeat(value.len())
        }
    }
}

/// A message to be written as JSON; with `mask`, without what must not be shown.
pub struct Shown<'m, 'a> {
    pub message: &'m Message<'a>,
    pub mask: bool,
}

impl Serialize for Shown<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("mti", self.message.mti())?;
        map.serialize_entry("fields", &ShownFields(self))?;
        map.end()
    }
}

struct ShownFields<'s, 'm, 'a>(&'s Shown<'m, 'a>);

impl Serialize for ShownFields<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Shown { message, mask } = self.0;
        let spec = message.spec();
        let mut map = serializer.serialize_map(None)?;
        for de in message.des() {
            let Some(value) = message.value(de) else { continue };
            let sensitivity = spec.field(de).and_then(|info| info.sensitivity).filter(|_| *mask);
            let layout = spec.plan(de).and_then(|plan| plan.layout);
            map.serialize_entry(
                &de.to_string(),
                &ShownValue { spec, layout, value: &value, sensitivity, mask: *mask },
            )?;
        }
        map.end()
    }
}

struct ShownValue<'v> {
    spec: &'v Spec,
    layout: Option<LayoutId>,
    value: &'v Value,
    sensitivity: Option<Sensitivity>,
    mask: bool,
}

impl Serialize for ShownValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value::Parts(parts) = self.value else {
            return serializer.serialize_str(&masked(self.sensitivity, &self.value.flat().unwrap_or_default()));
        };
        let mut map = serializer.serialize_map(None)?;
        let mut done: Vec<&str> = Vec::new();
        for (key, _) in parts.iter() {
            if done.contains(&key) {
                continue;
            }
            done.push(key);
            let all: Vec<ShownValue<'_>> =
                parts.iter().filter(|(other, _)| *other == key).map(|(_, value)| self.part(key, value)).collect();
            match &all[..] {
                [only] => map.serialize_entry(key, only)?,
                many => map.serialize_entry(key, many)?,
            }
        }
        map.end()
    }
}

impl<'v> ShownValue<'v> {
    /// A part is as secret as what it is a part of, unless the spec says something of its own.
    fn part(&self, key: &str, value: &'v Value) -> Self {
        let part = self.layout.and_then(|id| self.spec.layout(id)).and_then(|layout| layout.by_key(key));
        let own = part.and_then(|part| part.info.sensitivity).filter(|_| self.mask);
        let layout = part.and_then(|part| part.plan.layout);
        Self { spec: self.spec, layout, value, sensitivity: own.or(self.sensitivity), mask: self.mask }
    }
}

/// What a JSON message is made of, in its order.
enum Node {
    Text(String),
    Object(Vec<(String, Node)>),
    List(Vec<Node>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text, an object or a list")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }
}

fn refused(de: impl Into<String>, reason: &'static str) -> EncodeError {
    EncodeError { de: de.into(), reason }
}

/// Reads what [`Shown`] writes.
pub fn fields(spec: &Spec, json: &[u8]) -> Result<Fields, EncodeError> {
    let node = serde_json::from_slice(json)
        .map_err(|_| refused("mti", "the line is no JSON object of texts, objects and lists"))?;
    let Node::Object(members) = node else { return Err(refused("mti", "the line is no JSON object")) };
    let (mut mti, mut given) = (None, None);
    for (name, node) in members {
        match (name.as_str(), node) {
            ("mti", Node::Text(text)) => mti = Some(text),
            ("fields", Node::Object(members)) => given = Some(members),
            _ => return Err(refused(name, "is not expected; a message has \"mti\" and \"fields\"")),
        }
    }
    let mut fields = Fields::new(&mti.ok_or_else(|| refused("mti", "missing"))?);
    for (key, node) in given.ok_or_else(|| refused("mti", "\"fields\" is missing"))? {
        let de = key.parse::<u8>().ok().filter(|de| spec.field(*de).is_some());
        let de = de.ok_or_else(|| refused(key.as_str(), "is not part of this spec"))?;
        if fields.has(de) {
            return Err(refused(key, "is there twice"));
        }
        let plan = spec.plan(de).ok_or_else(|| refused(key.as_str(), "is not part of this spec"))?;
        match value(spec, Some(plan), &key, node)? {
            Value::Parts(ref parts) => fields.set_parts(de, parts.clone()),
            Value::Text(ref text) => fields.set(de, text),
            Value::Binary(ref bytes) => fields.set_binary(de, bytes),
        }
    }
    Ok(fields)
}

/// A value by its plan; what no spec describes is hexadecimal where it reads as such.
fn value(spec: &Spec, plan: Option<&Plan>, path: &str, node: Node) -> Result<Value, EncodeError> {
    match node {
        Node::Text(text) => match plan {
            Some(plan) if plan.class == Class::Binary => {
                from_hex(&text).map(Value::Binary).ok_or_else(|| refused(path, "is not hexadecimal"))
            }
            _ => Ok(Value::Text(text)),
        },
        Node::List(_) => Err(refused(path, "is a list; only a tag that comes more than once is one")),
        Node::Object(members) => {
            let layout = plan.and_then(|plan| plan.layout).and_then(|id| spec.layout(id));
            let mut parts = Parts::new();
            for (key, node) in members {
                let inner = layout.and_then(|layout| layout.by_key(&key)).map(|part| &part.plan);
                let path = format!("{path}.{key}");
                let nodes = match node {
                    Node::List(nodes) => nodes,
                    one => vec![one],
                };
                for node in nodes {
                    parts.push(key.as_str(), value(spec, inner, &path, node)?);
                }
            }
            Ok(Value::Parts(parts))
        }
    }
}
