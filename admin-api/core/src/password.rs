//! Passwords: Argon2id.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};

/// PHC string with a fresh salt. Takes tens of milliseconds on purpose: call it off the async threads.
pub fn hash_password(password: &str) -> Result<String, argon2::password_hash::Error> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
}

/// Compared where there is no such user, so that answering takes as long as for one there is.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_password("no user has this").unwrap_or_default());

/// Whether a password is the one of a hash; without a hash always no, in the same time.
pub fn check_password(password: &str, hash: Option<&str>) -> bool {
    // Who has no password takes as long as who has another one.
    let hash = hash.filter(|hash| !hash.is_empty());
    let matches = Argon2::default().verify_password(password.as_bytes(), hash.unwrap_or(&NOBODY)).is_ok();
    matches && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_wrong_and_nobody() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(check_password("correct horse", Some(&hash)));
        assert!(!check_password("wrong horse", Some(&hash)));
        assert!(!check_password("no user has this", None));
        assert!(!check_password("anything", Some("no hash")));
        assert!(!check_password("", Some("")));
    }
}
