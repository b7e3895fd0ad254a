//! Whose rows a caller may see.

/// Added to every statement that the REST surface runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The platform itself.
    Global,
    /// The tenants of one institution, as far as no single one is named.
    Institution(i64),
    /// One tenant.
    Tenant(i64),
}

impl Scope {
    /// For `(CAST($n AS BIGINT) IS NULL OR tenant_id = $n)`. Where an institution's caller names no tenant, nothing
    /// that belongs to one is in sight.
    pub fn tenant(self) -> Option<i64> {
        match self {
            Self::Global => None,
            Self::Institution(_) => Some(-1),
            Self::Tenant(id) => Some(id),
        }
    }

    /// For statements about tenants themselves.
    pub(crate) fn institution(self) -> Option<i64> {
        match self {
            Self::Institution(id) => Some(id),
            Self::Global | Self::Tenant(_) => None,
        }
    }

    /// For statements about tenants themselves.
    pub(crate) fn own_tenant(self) -> Option<i64> {
        match self {
            Self::Tenant(id) => Some(id),
            Self::Global | Self::Institution(_) => None,
        }
    }
}
