//! Whose rows a caller may see.

/// Added to every statement that the REST surface runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The platform itself.
    Global,
    /// One tenant.
    Tenant(i64),
}

impl Scope {
    /// For `(CAST($n AS BIGINT) IS NULL OR tenant_id = $n)`.
    pub(crate) fn tenant(self) -> Option<i64> {
        match self {
            Self::Global => None,
            Self::Tenant(id) => Some(id),
        }
    }

    /// Whether rows of this tenant are inside.
    pub fn covers(self, tenant: i64) -> bool {
        self.tenant().is_none_or(|id| id == tenant)
    }
}
