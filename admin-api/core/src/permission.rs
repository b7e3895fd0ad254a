//! Who may do what: keys of the configuration, and what holds where none is set.
//!
//! An operation on an entity is guarded by `<Entity>.<VERB>.Allowed`, and where it is about a wallet or its cards first by
//! `<Entity>.WalletType<N>.<VERB>.Allowed`, N being the place of the wallet's type among the tenant's. The value is a
//! comma list of roles and positions. A key is looked for with the tenant, its institution and the platform, then in the
//! shared set that the tenant's `permissionsTemplate` (or the wallet type's) names: `global.permissions.shared.<name>`
//! holds lines of `key=value`.

use admin_store::{DataKeys, Scope, Store, WalletTypeRow};

use crate::ctx::{Actor, User};
use crate::error::ApiError;
use crate::settings::setting;

/// Holder of every right.
const PLATFORM_ADMINISTRATOR: &str = "GLOBAL_ADMIN";
const TENANT_ADMINISTRATOR: &str = "TENANT_SYSTEM";
const INSTITUTION_ADMINISTRATOR: &str = "INSTITUTION_ADMIN";

/// Who is allowed where no key says anything.
const DEFAULT: [&str; 2] = [TENANT_ADMINISTRATOR, INSTITUTION_ADMINISTRATOR];

/// Switches the checks off for the tenant's own administrators.
const EVERYTHING: &str = "Everything.Allowed";

/// Names a shared set.
const TEMPLATE: &str = "permissionsTemplate";

/// Roles and positions that can be held.
pub fn is_position(name: &str) -> bool {
    let level = |text: &str| text.parse::<u8>().is_ok_and(|level| (1..=20).contains(&level) && text.len() == 2);
    matches!(name, TENANT_ADMINISTRATOR | "CUSTOMER") || name.strip_prefix("LEVEL_").is_some_and(level)
}

/// Whether a setting says what people may do.
pub fn is_permission_key(key: &str) -> bool {
    key.ends_with(".Allowed") || key == TEMPLATE
}

/// What a right is about.
pub(crate) struct Right<'a> {
    pub entity: &'a str,
    pub verb: &'a str,
    /// The wallet's type, where it is about one.
    pub wallet_type: Option<&'a WalletTypeRow>,
}

impl Right<'_> {
    pub fn key(&self) -> String {
        format!("{}.{}.Allowed", self.entity, self.verb)
    }
}

pub(crate) struct Permissions<'a> {
    pub store: &'a Store,
    pub keys: &'a DataKeys,
}

impl Permissions<'_> {
    /// Whether the caller has a right in a scope.
    pub async fn allow(&self, actor: &Actor, scope: Scope, right: Right<'_>) -> Result<bool, ApiError> {
        let Actor::User(user) = actor else { return Ok(false) };
        if user.has_role(PLATFORM_ADMINISTRATOR) {
            return Ok(true);
        }
        let tenant = match scope {
            Scope::Tenant(id) => Some(id),
            Scope::Global | Scope::Institution(_) => None,
        };
        if user.holds(TENANT_ADMINISTRATOR)
            && self.setting(tenant, EVERYTHING).await?.is_some_and(|value| value.trim() == "true")
        {
            return Ok(true);
        }
        if let Some(list) = self.configured(tenant, &right).await? {
            return Ok(list.split(',').any(|name| user.is(name.trim())));
        }
        Ok(DEFAULT.iter().any(|name| user.is(name)))
    }

    /// The list that counts, nearest first.
    async fn configured(&self, tenant: Option<i64>, right: &Right<'_>) -> Result<Option<String>, ApiError> {
        if let Some(wallet_type) = right.wallet_type {
            let position = self.store.wallet_type_position(wallet_type.id).await?;
            let key = format!("{}.WalletType{position}.{}.Allowed", right.entity, right.verb);
            if let Some(list) = self.setting(tenant, &key).await? {
                return Ok(Some(list));
            }
            let template = attribute(&wallet_type.configuration, TEMPLATE);
            if let Some(list) = self.shared(template, right).await? {
                return Ok(Some(list));
            }
        }
        if let Some(list) = self.setting(tenant, &right.key()).await? {
            return Ok(Some(list));
        }
        let template = self.setting(tenant, TEMPLATE).await?;
        self.shared(template, right).await
    }

    /// What a shared set says.
    async fn shared(&self, template: Option<String>, right: &Right<'_>) -> Result<Option<String>, ApiError> {
        let Some(template) = template else { return Ok(None) };
        let Some(lines) = self.setting(None, &format!("global.permissions.shared.{template}")).await? else {
            return Ok(None);
        };
        let key = right.key();
        let line = lines.lines().filter_map(|line| line.split_once('=')).find(|(name, _)| name.trim() == key);
        Ok(line.map(|(_, list)| list.to_owned()))
    }

    async fn setting(&self, tenant: Option<i64>, key: &str) -> Result<Option<String>, ApiError> {
        setting(self.store, self.keys, tenant, key).await
    }
}

/// The value of an attribute in a JSON list of `{att, val}`.
fn attribute(configuration: &str, name: &str) -> Option<String> {
    let list: Vec<crate::Attribute> = serde_json::from_str(configuration).ok()?;
    list.into_iter().find(|attribute| attribute.att == name).map(|attribute| attribute.val)
}

impl User {
    fn has_role(&self, name: &str) -> bool {
        self.row.roles.split(',').any(|role| role == name)
    }

    fn holds(&self, name: &str) -> bool {
        self.row.positions.split(',').any(|position| position == name)
    }

    /// Whether one of these is his role or position.
    pub fn is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.is(name))
    }

    fn is(&self, name: &str) -> bool {
        !name.is_empty() && (self.has_role(name) || self.holds(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_those_of_the_platform() {
        for name in ["TENANT_SYSTEM", "CUSTOMER", "LEVEL_01", "LEVEL_20"] {
            assert!(is_position(name), "{name}");
        }
        for name in ["", "LEVEL_00", "LEVEL_21", "LEVEL_1", "GLOBAL_ADMIN", "level_01"] {
            assert!(!is_position(name), "{name}");
        }
    }
}
