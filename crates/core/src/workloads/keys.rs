//! The keys of workloads.yml in one table: the parser reads by it, and the JSON Schema of the file is generated from it.

/// What a key's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A workload's id.
    Id,
    /// A whole number above 0.
    Positive,
    /// A list of texts.
    Names,
    /// `true` or `false`.
    Flag,
    /// A list of environments, or a mapping of them.
    Environments,
    /// Overrides of the two Flux objects.
    Flux,
    /// A list of workloads.
    Workloads,
    /// What a map-shaped file says for all of its workloads.
    Defaults,
    /// Read by another tool: anything.
    Foreign,
}

/// A key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub shape: Shape,
    /// What it is for, in one line.
    pub doc: &'static str,
}

const fn key(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, shape, doc }
}

/// The name of an entry's id.
pub const ID: &str = "runway_service_id";
/// Its older name.
pub const OLD_ID: &str = "name";

/// Keys of an entry: Runway's own, our two, and those that Terraform reads from the same file.
pub const ENTRY: &[Key] = &[
    key(ID, Shape::Id, "Names the workload: its two Flux objects, its namespace and its deploy artifact"),
    key(OLD_ID, Shape::Id, "Older name of runway_service_id"),
    key("project_id", Shape::Positive, "Number of the workload's GitLab project"),
    key("regions", Shape::Names, "Regions that the workload runs in, spelled as the runtime's cloud spells them"),
    key("groups", Shape::Names, "Paths of GitLab groups that maintain the workload"),
    key("members", Shape::Names, "GitLab user names that maintain the workload"),
    key("exclude_name_suffix", Shape::Flag, "No random suffix on the name"),
    key(
        "environments",
        Shape::Environments,
        "Environments that the workload is in, each with overrides of its own if need be; all when left out",
    ),
    key("flux", Shape::Flux, "Fields laid over the workload's two Flux objects"),
    key("additional_roles", Shape::Foreign, "Further IAM roles; read by Terraform"),
    key("gcp_project_group", Shape::Foreign, "Entry of gcp_project_groups; read by Terraform"),
    key("pam_config", Shape::Foreign, "Privileged access; read by Terraform"),
    key("deploy_in_ops", Shape::Foreign, "Read by the provisioner"),
    key("project", Shape::Foreign, "URL of the workload's project; read by the provisioner"),
    key("owner_email_handle", Shape::Foreign, "Owner; read by the provisioner"),
];

/// Keys beside the list in a map-shaped file.
pub const FILE: &[Key] = &[
    key("workloads", Shape::Workloads, "The workloads"),
    key("inventory", Shape::Workloads, "Older name of workloads"),
    key("defaults", Shape::Defaults, "What holds for every workload of the file"),
    key("gcp_project_groups", Shape::Foreign, "Groups of GCP projects; read by Terraform"),
    key("postgres_instances", Shape::Foreign, "Databases; read by Terraform"),
];

/// Keys of `defaults`, and of an environment in its map form.
pub const WITH_FLUX: &[Key] = &[key("flux", Shape::Flux, "Fields laid over the two Flux objects")];

/// The names of a table's keys that a suggestion may name.
pub fn names(keys: &'static [Key]) -> impl Iterator<Item = &'static str> {
    keys.iter().filter(|key| key.shape != Shape::Foreign).map(|key| key.name)
}

/// `flux:` keys that go into the Kustomization, in the order in which they are written.
pub const KUSTOMIZATION_KEYS: &[&str] = &[
    "interval",
    "timeout",
    "retryInterval",
    "path",
    "prune",
    "wait",
    "force",
    "dependsOn",
    "healthChecks",
    "healthCheckExprs",
    "postBuild",
    "serviceAccountName",
    "targetNamespace",
    "patches",
    "images",
    "decryption",
    "deletionPolicy",
    "commonMetadata",
];

/// `flux.source:` keys that go into the OCIRepository, in the order in which they are written.
pub const SOURCE_KEYS: &[&str] = &[
    "interval",
    "ref",
    "provider",
    "verify",
    "layerSelector",
    "secretRef",
    "certSecretRef",
    "proxySecretRef",
    "insecure",
    "timeout",
    "ignore",
];
