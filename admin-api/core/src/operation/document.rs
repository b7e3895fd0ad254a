//! The OpenAPI document, from the rows.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, PathItem, PathsBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, RefOr, ResponseBuilder, Schema,
};

use super::access::Access;
use super::row::Row;
use crate::BASE_PATH;
use crate::error::ErrorItem;

/// Models by name, gathered while operations are described.
#[derive(Default)]
pub struct Schemas(BTreeMap<String, RefOr<Schema>>);

impl Schemas {
    /// The schema of a type, with everything it refers to taken in. Named models are referred to.
    pub fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let mut found = Vec::new();
        T::schemas(&mut found);
        let own = T::schema();
        let is_model = matches!(&own, RefOr::T(Schema::Object(object)) if !object.properties.is_empty());
        self.0.extend(found);
        if is_model {
            let name = T::name().into_owned();
            self.0.insert(name.clone(), own);
            return RefOr::Ref(utoipa::openapi::Ref::from_schema_name(name));
        }
        own
    }
}

const TOKEN: &str = "token";

/// The whole document. Equal rows give equal bytes.
pub fn document(rows: &[Row], version: &str) -> OpenApi {
    let mut schemas = Schemas::default();
    let mut paths = PathsBuilder::new();
    for row in rows {
        let operation = (row.describe)(head(row), &mut schemas);
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
        .description(Some("Payments platform: tenants, wallets, cards, terminals and their money."))
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
        Access::Authenticated | Access::Entity(_) => {
            operation.security(SecurityRequirement::new(TOKEN, Vec::<String>::new()))
        }
    }
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
    let operation = match row.access {
        Access::Entity(_) => with(operation, "403", "the caller lacks the right"),
        Access::Anonymous | Access::Authenticated => operation,
    };
    let operation = with(operation, "404", "no such entity in the caller's tenant");
    let operation = with(operation, "413", "the body is too large");
    with(operation, "503", "something the operation needs does not answer; try again")
}

fn method(row: &Row) -> Option<HttpMethod> {
    Some(match row.method.as_str() {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        _ => return None,
    })
}
