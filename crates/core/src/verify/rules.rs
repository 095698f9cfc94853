//! Every finding that there is, in one table: `help finding` shows it, and reports take their titles from it.
//!
//! A code is a promise: pipelines name it. `tests/verify.rs` fails when a code of the table is never fired by a test, and when
//! one is used that is not in the table.

use crate::deploy;
use crate::finding::Rule;

/// The rule of a code.
pub fn of(code: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.code == code)
}

/// Every rule, those about manifests too.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().chain(deploy::rules::RULES)
}

/// The table, by subject: text, file, entries, generated objects, inventory, what was asked of registries and clusters.
pub const RULES: &[Rule] = &[
    Rule::error(
        "yaml-syntax",
        "the text is no YAML",
        "The file cannot be read beyond this place, so nothing after it was checked.\nAn editor with YAML support shows the same place. JSON is YAML too.",
    ),
    Rule::error(
        "yaml-budget",
        "the text is too large or too deep",
        "Bytes, nodes, depth and what aliases repeat are bounded, so that no file can stop the tools that read it.\nAliases that repeat more than 10,000 nodes are taken for a bomb.",
    ),
    Rule::error(
        "yaml-key",
        "a key is no text",
        "Keys of mappings are texts; a list or a mapping as a key has no meaning in JSON, into which every reader turns the file.",
    ),
    Rule::error(
        "duplicate-key",
        "a key stands twice in one mapping",
        "Readers disagree about which of the two counts: some take the first, some the last, kustomize refuses the file.\nRemove one.",
    ),
    Rule::error(
        "merge-key",
        "a merge key takes over nothing",
        "'<<' takes over the keys of a mapping, or of a list of mappings, usually by an alias: '<<: *base'.",
    ),
    Rule::error(
        "no-list",
        "the file has no list of workloads",
        "The file is a list of entries, or a mapping with that list under 'workloads' (older: 'inventory').",
    ),
    Rule::error(
        "two-lists",
        "the file has two lists",
        "'inventory' is the older name of 'workloads'. Put all entries under one of them.",
    ),
    Rule::error("entry-type", "an entry is no mapping", "Each entry is a mapping with 'runway_service_id'."),
    Rule::error(
        "empty-inventory",
        "there is no workload",
        "An inventory without workloads makes Flux delete everything that it applied, so none is ever built or pushed.\nIs this the right file, and the right environment?",
    ),
    Rule::error(
        "no-id",
        "an entry has no id",
        "'runway_service_id' names the workload's Flux objects, its namespace and its deploy artifact.",
    ),
    Rule::error("two-ids", "an entry has its id twice", "'name' is the older name of 'runway_service_id'. Keep the newer one."),
    Rule::error(
        "invalid-id",
        "an id cannot name Kubernetes objects",
        "The id becomes a namespace and a label value: 1 to 63 characters of a-z, 0-9 and '-', with a letter or a digit at both ends.\nAn id that YAML reads as a number, a date or a boolean has to be quoted.",
    ),
    Rule::error(
        "duplicate-id",
        "an id is listed twice",
        "Both entries would become the same two objects, and kustomize refuses the whole inventory.\nRemove or rename one.",
    ),
    Rule::error(
        "reserved-id",
        "an id is the name of a parent pair",
        "'<runtime>-inventory' names the objects that apply the inventory itself: a workload of that name would replace them.",
    ),
    Rule::warning(
        "shared-id",
        "an id is listed for another runtime too",
        "Both workloads read the same deploy artifact, since its name has only the id in it.\nWorkloads usually carry their runtime as a suffix, such as '-gke'.",
    ),
    Rule::warning(
        "unknown-key",
        "a key is not known",
        "It changes nothing, so it is either a typo or meant for another tool. With --strict it is an error.",
    ),
    Rule::error(
        "schema",
        "a value has the wrong type",
        "The message says what is expected. schemas/workloads.schema.json lets editors check it.",
    ),
    Rule::error(
        "ambiguous-scalar",
        "a text without quotes is read as something else",
        "YAML 1.1 reads no, on and off as booleans, 010 as the number 8, 12:30 as a number in base 60, 2024-01-31 as a date.\nPut quotes around it when a text is meant.",
    ),
    Rule::warning("duplicate-item", "a list has an item twice", "The second one changes nothing."),
    Rule::warning(
        "no-environment",
        "a workload is in no environment",
        "'environments: []' takes it out of every inventory: Flux removes it where it runs. Leave the key out for all environments.",
    ),
    Rule::error(
        "unknown-environment",
        "an environment is not known",
        "The settings' list 'environments' has the names that exist; a typo would leave the workload out silently.",
    ),
    Rule::warning(
        "region-spelling",
        "a region is not spelled as the runtime's cloud spells it",
        "GKE's regions look like us-east1, EKS's like us-east-1.",
    ),
    Rule::error(
        "override-key",
        "a field cannot be overridden",
        "'flux' takes fields of the Kustomization, 'flux.source' those of the OCIRepository.\nWhat names the workload (url, sourceRef) and 'suspend' are never taken: a written 'suspend' would undo what an on-call engineer set.",
    ),
    Rule::error(
        "duration",
        "a duration is none to Flux",
        "Flux's durations are numbers with units: 30s, 5m, 1h30m, 500ms. There are no days and no bare numbers, and a source's 'timeout' has no hours.\nThe API server would refuse the object, and with it the whole inventory.",
    ),
    Rule::error(
        "source-url",
        "a source's URL cannot be used",
        "It begins with oci://, and has a host and a repository in lower case, without a tag, a digest or a user name.\nIt is made from the settings registry.base and artifacts.deploy.",
    ),
    Rule::error(
        "source-ref",
        "a source's ref cannot be used",
        "A digest is sha256: and 64 hex digits; a tag has letters, digits, '_', '.' and '-'. Of several, digest counts before semver, and semver before tag.",
    ),
    Rule::error(
        "api-version",
        "the target Flux does not serve the API version",
        "Flux 2.8 and later serve only v1 of OCIRepository; one object of another version makes Flux refuse the whole inventory.\nSet source.apiVersion: v1 (Flux 2.6 and later).",
    ),
    Rule::warning(
        "deprecated-api",
        "the API version goes away with a newer Flux",
        "v1beta2 of OCIRepository is served up to Flux 2.7. Once all clusters have 2.6 or later, set source.apiVersion: v1.",
    ),
    Rule::error(
        "object-schema",
        "the API server would refuse an object",
        "The object was checked against the schema that the target Flux installs (--flux-version).\nOne object that is refused blocks every change of the inventory.",
    ),
    Rule::error(
        "unknown-field",
        "an object has a field that the API does not know",
        "The field does not exist in the target Flux, or is misspelled; the API server drops or refuses it.",
    ),
    Rule::error(
        "depends-on-missing",
        "a workload depends on one that is not in the inventory",
        "Flux waits for it forever: DependencyNotReady. It has to be in the same environment.",
    ),
    Rule::error(
        "depends-on-cycle",
        "workloads depend on each other in a circle",
        "None of them is ever applied. Remove one of the dependencies.",
    ),
    Rule::warning(
        "substitution",
        "a ${variable} is not replaced where it stands",
        "A workload's postBuild replaces variables in what it applies, not in its own fields; only a parent with a postBuild of its own would, and it would do it before the workload sees them.\nWrite $${variable} for the literal text.",
    ),
    Rule::error(
        "undefined-variable",
        "a ${variable} is defined nowhere",
        "From Flux 2.9 on an undefined variable without a default fails the build; before, it became nothing.\nDefine it in postBuild.substitute, or give a default: ${variable:=value}.",
    ),
    Rule::error(
        "variable-name",
        "a variable's name cannot be used",
        "Names of postBuild.substitute begin with a letter or '_' and go on with letters, digits and '_'; any other fails the build.",
    ),
    Rule::warning(
        "inventory-size",
        "the inventory comes near a limit of etcd",
        "The parent's status lists every object, about 103 bytes each and two per workload; etcd refuses requests over 1.5 MiB.\nSplit the runtime before it has about 7,000 workloads.",
    ),
    Rule::error(
        "missing-folder",
        "the environment's folder is not there",
        "The parent applies ./<environment>; without that folder it fails with ArtifactFailed, and nothing changes on the cluster.",
    ),
    Rule::error(
        "object-identity",
        "a document is no Kubernetes object",
        "Every document needs apiVersion, kind and metadata.name, or kustomize refuses the whole inventory.",
    ),
    Rule::error(
        "duplicate-object",
        "an object stands twice",
        "kustomize refuses all of it: \"may not add resource with an already registered id\". Two API versions of one object count as one here, since they are the same object on the cluster.",
    ),
    Rule::error(
        "artifact-missing",
        "a workload's deploy artifact is not in the registry",
        "Flux would report OCIArtifactPullFailed. Has the workload's own pipeline pushed to this environment yet?",
    ),
    Rule::error(
        "artifact-type",
        "what the deploy tag holds is no Flux artifact",
        "The first layer has to be a gzipped tar, as flux push artifact and kubectl runway deploy push make it.",
    ),
    Rule::warning(
        "artifact-unknown",
        "a registry gave no answer about a deploy artifact",
        "Whether the artifact is there is not known, so verify cannot say yes: it exits 2.",
    ),
    Rule::error(
        "dry-run-refused",
        "the cluster refuses an object",
        "The API server was asked to apply the object without storing it (server-side apply, dryRun=All), and said no.",
    ),
    Rule::error(
        "settings-key",
        "a setting does not exist",
        "kubectl runway reads kubectl-runway.yaml; the message names the nearest key.",
    ),
    Rule::error("settings-type", "a setting has the wrong shape", "The message says what is expected."),
    Rule::error(
        "settings-value",
        "a setting's value cannot be used",
        "The message says why; nothing is done with settings that have a fault.",
    ),
];

#[cfg(test)]
mod tests {
    use super::RULES;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_words_with_help() {
        let codes: BTreeSet<&str> = RULES.iter().map(|rule| rule.code).collect();
        assert_eq!(codes.len(), RULES.len());
        for rule in RULES {
            assert!(rule.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", rule.code);
            assert!(!rule.title.is_empty() && rule.help.len() > 20, "{}", rule.code);
            assert!(rule.title.chars().next().is_some_and(char::is_lowercase), "{}", rule.code);
        }
    }
}
