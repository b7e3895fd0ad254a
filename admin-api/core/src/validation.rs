//! Bodies are checked against the schema that is published: there is no second set of rules.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};

use crate::error::{ApiError, ErrorCode};

/// Characters of a value that are shown at most.
const SHOWN_MAX: usize = 40;

/// The schema of one model, ready to check.
pub(crate) struct Model {
    name: String,
    validator: Validator,
    /// Names of fields whose values are not repeated.
    secrets: BTreeSet<String>,
}

impl Model {
    /// `components`: all named schemas of the document, which this one may refer to.
    pub fn new(name: String, schema: &RefOr<Schema>, components: &Value) -> Result<Self, String> {
        let mut schema = serde_json::to_value(schema).map_err(|error| error.to_string())?;
        if let Value::Object(fields) = &mut schema {
            fields.insert("components".into(), json!({ "schemas": components }));
        }
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|error| format!("schema of {name}: {error}"))?;
        let mut found = BTreeSet::new();
        secrets(&schema, &schema, 0, &mut found);
        Ok(Self { name, validator, secrets: found })
    }

    /// The first breach, with value, model and field named.
    pub fn check(&self, body: &Value) -> Result<(), ApiError> {
        let Some(breach) = self.validator.iter_errors(body).next() else { return Ok(()) };
        let path = breach.instance_path().to_string();
        let field = path.trim_start_matches('/').replace('/', ".");
        let value = if self.is_secret(&path) { "(hidden)".to_owned() } else { shown(breach.instance()) };
        let place = if field.is_empty() { self.name.clone() } else { format!("{}.{field}", self.name) };
        let rule = breach.masked_with("it").to_string();
        Err(ApiError::new(ErrorCode::Validation, format!("value {value} of {place} is not valid: {rule}")))
    }

    /// Whether a path leads to a field that is declared as a password: its value is not repeated.
    fn is_secret(&self, path: &str) -> bool {
        path.split('/').any(|segment| self.secrets.contains(segment))
    }
}

/// Names of all fields of a schema that are declared as passwords, wherever they stand in it.
fn secrets(schema: &Value, root: &Value, depth: u8, found: &mut BTreeSet<String>) {
    /// Models that contain themselves are not followed for ever.
    const DEPTH_MAX: u8 = 16;
    if depth > DEPTH_MAX {
        return;
    }
    if let Some(Value::Object(properties)) = schema.get("properties") {
        for (name, property) in properties {
            if property.get("format").is_some_and(|format| format == "password") {
                found.insert(name.clone());
            }
            secrets(property, root, depth + 1, found);
        }
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        let parts = schema.get(key).and_then(Value::as_array);
        parts.into_iter().flatten().for_each(|part| secrets(part, root, depth + 1, found));
    }
    if let Some(items) = schema.get("items") {
        secrets(items, root, depth + 1, found);
    }
    let named = schema.get("$ref").and_then(Value::as_str).and_then(|name| root.pointer(name.trim_start_matches('#')));
    if let Some(named) = named {
        secrets(named, root, depth + 1, found);
    }
}

/// A value as it may be repeated: short, and without what could be a card number.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if value.is_object() || value.is_array() || text.chars().count() > SHOWN_MAX || digits >= 12 {
        return "(not shown)".into();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::{PartialSchema, ToSchema};

    #[derive(ToSchema)]
    #[allow(dead_code, reason = "only its schema is used")]
    struct Example {
        #[schema(min_length = 3)]
        name: String,
        #[schema(format = Password, min_length = 8)]
        password: Option<String>,
        #[schema(minimum = 0)]
        number: Option<i64>,
    }

    #[test]
    fn breaches_name_value_model_and_field_and_no_secret() {
        let nested = json!({"allOf": [{"$ref": "#/components/schemas/Example"}, {"type": "array", "items": {
            "properties": {"pin": {"format": "password"}}}}]});
        let named = json!({ "components": { "schemas": { "Example": Example::schema() } } });
        let mut found = BTreeSet::new();
        secrets(&nested, &named, 0, &mut found);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["password", "pin"]);

        let model = Model::new("Example".into(), &Example::schema(), &json!({})).unwrap();
        model.check(&json!({"name": "abc", "number": 1, "more": true})).unwrap();
        for (body, parts) in [
            (json!({"name": "ab"}), vec!["\"ab\"", "Example.name", "3"]),
            (json!({"name": "abc", "number": -1}), vec!["-1", "Example.number"]),
            (json!({"number": 1}), vec!["Example", "name"]),
            (json!({"name": "abc", "password": "secret"}), vec!["(hidden)", "Example.password"]),
            (json!({"name": 9_999_000_000_000_018_u64}), vec!["(not shown)", "Example.name"]),
            (json!([]), vec!["Example"]),
        ] {
            let said = model.check(&body).unwrap_err().description;
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
            assert!(!said.contains("secret") && !said.contains("9999000000000018"), "{said}");
        }
    }
}
