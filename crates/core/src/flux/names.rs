//! Names: RFC 1123 labels, and the parent's reserved one.

/// Longest name: it becomes a namespace and the value of Flux's owner label on every object of the workload.
pub const MAX_LABEL: usize = 63;

/// Why `name` is no RFC 1123 label; `None` when it is one.
pub fn label_fault(name: &str) -> Option<&'static str> {
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.len() > MAX_LABEL {
        return Some("it is longer than 63 characters");
    }
    if !name.bytes().all(|b| ok(b) || b == b'-') {
        return Some("only lower-case letters, digits and '-' are allowed");
    }
    if !name.bytes().next().is_some_and(ok) || !name.bytes().last().is_some_and(ok) {
        return Some("it must begin and end with a letter or a digit");
    }
    None
}

/// Why `name` is no RFC 1123 subdomain, which most objects' names are; `None` when it is one.
pub fn subdomain_fault(name: &str) -> Option<&'static str> {
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.len() > 253 {
        return Some("it is longer than 253 characters");
    }
    if !name.bytes().all(|b| ok(b) || b == b'-' || b == b'.') {
        return Some("only lower-case letters, digits, '-' and '.' are allowed");
    }
    let ends = |part: &str| part.bytes().next().is_some_and(ok) && part.bytes().last().is_some_and(ok);
    if !name.split('.').all(ends) {
        return Some("each part between dots must begin and end with a letter or a digit");
    }
    None
}

/// Name of a runtime's parent pair, reserved: a workload of that name would overwrite the parent.
pub fn parent(runtime: &str) -> String {
    format!("{runtime}-inventory")
}

/// The runtime that a parent's name stands for.
pub fn runtime_of_parent(name: &str) -> Option<&str> {
    name.strip_suffix("-inventory").filter(|runtime| !runtime.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{label_fault, subdomain_fault};

    #[test]
    fn labels() {
        for good in ["a", "example-service-gke", "0", &"x".repeat(63)] {
            assert_eq!(label_fault(good), None, "{good}");
        }
        for bad in ["", "A", "a_b", "-a", "a-", "a.b", "é", &"x".repeat(64)] {
            assert!(label_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn subdomains() {
        for good in ["a", "a.b-c.d0", "realms.example.com", &"x".repeat(253)] {
            assert_eq!(subdomain_fault(good), None, "{good}");
        }
        for bad in ["", "A", "a..b", ".a", "a.", "-a", "a.-b", "a_b", "../a", &"x".repeat(254)] {
            assert!(subdomain_fault(bad).is_some(), "{bad}");
        }
    }
}
