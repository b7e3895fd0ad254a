//! The OpenAPI document, from the rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use utoipa::ToSchema;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem, PathsBuilder,
};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, RefOr, Required,
    ResponseBuilder, Schema,
};

use super::access::Access;
use super::row::Row;
use crate::BASE_PATH;
use crate::error::ErrorItem;
use crate::validation::Model;

/// Models by name, gathered while operations are described.
#[derive(Default)]
pub struct Schemas(BTreeMap<String, RefOr<Schema>>);

impl Schemas {
    /// The schema of a type, with everything it refers to taken in. Named models are referred to.
    pub fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let mut found = Vec::new();
        T::schemas(&mut found);
        let own = T::schema();
        let is_model = match &own {
            RefOr::T(Schema::Object(object)) => !object.properties.is_empty(),
            // A model with a flattened part.
            RefOr::T(Schema::AllOf(_)) => true,
            _ => false,
        };
        self.0.extend(found);
        if is_model {
            let name = T::name().into_owned();
            self.0.insert(name.clone(), own);
            return RefOr::Ref(utoipa::openapi::Ref::from_schema_name(name));
        }
        own
    }
}

impl Schemas {
    /// A schema that is made by hand, under a name.
    pub fn named(&mut self, name: &str, schema: RefOr<Schema>) -> RefOr<Schema> {
        self.0.insert(name.to_owned(), schema);
        RefOr::Ref(utoipa::openapi::Ref::from_schema_name(name))
    }
}

const TOKEN: &str = "token";

/// Every row's body model, ready to check bodies, in the order of the rows.
pub(super) fn models(rows: &[Row]) -> Vec<Option<Arc<Model>>> {
    let mut schemas = Schemas::default();
    let found: Vec<_> = rows.iter().map(|row| (row.body_model)(&mut schemas)).collect();
    let components = serde_json::to_value(&schemas.0).unwrap_or_default();
    let made = found.into_iter().map(|model| {
        let (name, schema) = model?;
        // A model that does not compile is a fault of the program, which the test of all rows finds.
        Model::new(name, &schema, &components)
            .map_err(|error| tracing::error!(error, "no validator"))
            .ok()
            .map(Arc::new)
    });
    made.collect()
}

/// The whole document. Equal rows give equal bytes.
pub fn document(rows: &[Row], version: &str) -> OpenApi {
    let mut schemas = Schemas::default();
    let mut paths = PathsBuilder::new();
    for row in rows {
        let operation = (row.describe)(head(row), &mut schemas);
        let operation = if row.is_change() { operation.parameter(idempotency_key()) } else { operation };
        let operation = errors(row, operation, &mut schemas).build();
        if let Some(method) = method(row) {
            paths = paths.path(format!("{BASE_PATH}{}", row.path), PathItem::new(method, operation));
        }
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas.0)
        .security_scheme(TOKEN, SecurityScheme::Http(bearer))
        .build();
    let info = InfoBuilder::new()
        .title("Umbra")
        .description(Some(
            "Payments platform: tenants, wallets, cards, terminals and their money. No text of a request holds U+0000.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").build()))
        .version(version)
        .build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}

fn head(row: &Row) -> OperationBuilder {
    let operation = OperationBuilder::new().operation_id(Some(row.id)).summary(Some(row.summary)).tag(row.group());
    let operation = match row.access.permission_key(row.effect) {
        Some(key) => operation.description(Some(format!("Needs the right `{key}`."))),
        None => operation,
    };
    match row.access {
        Access::Anonymous => operation.security(SecurityRequirement::default()),
        Access::Authenticated | Access::Entity(_) | Access::Platform(_) | Access::InHandler(_) => {
            operation.security(SecurityRequirement::new(TOKEN, Vec::<String>::new()))
        }
    }
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Under the same key, within 24 hours, the first answer is given again"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(100))))
        .build()
}

/// The error answers an operation can give, all of one form.
fn errors(row: &Row, operation: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder {
    let list = schemas.reference::<Vec<ErrorItem>>();
    let with = |operation: OperationBuilder, status: &str, description: &str| {
        let content = Content::new(Some(list.clone()));
        operation.response(status, ResponseBuilder::new().description(description).content("application/json", content))
    };
    let operation = with(operation, "400", "a parameter or the body is not of its form");
    let operation = with(operation, "401", "no token or log-in, or one that is not valid");
    let operation = match row.access.entity() {
        Some(_) => with(operation, "403", "the caller lacks the right"),
        None => operation,
    };
    let operation = with(operation, "404", "no such entity in the caller's tenant");
    let operation = with(operation, "413", "the body is too large");
    let operation = with(operation, "429", "more requests than the caller may make in a minute");
    with(operation, "503", "something the operation needs does not answer; try again")
}

fn method(row: &Row) -> Option<HttpMethod> {
    Some(match row.method.as_str() {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        "HEAD" => HttpMethod::Head,
        "PATCH" => HttpMethod::Patch,
        _ => return None,
    })
}
