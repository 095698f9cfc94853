//! Every finding that there is, in one table: `help finding` shows it, and reports take their titles from it.
//!
//! A code is a promise: pipelines name it. `tests/verify.rs` fails when a code of the table is never fired by a test, and when
//! one is used that is not in the table.

use crate::finding::Severity;

/// One kind of finding.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The stable code.
    pub code: &'static str,
    /// Its weight at most; some are lighter where less hangs on it.
    pub severity: Severity,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// Why it matters and what to do.
    pub help: &'static str,
}

/// The rule of a code.
pub fn of(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(code))
}

const fn error(code: &'static str, title: &'static str, help: &'static str) -> Rule {
    Rule { code, severity: Severity::Error, title, help }
}

const fn warning(code: &'static str, title: &'static str, help: &'static str) -> Rule {
    Rule { code, severity: Severity::Warning, title, help }
}

/// The table, by subject: text, file, entries, generated objects, inventory, what was asked of registries and clusters, settings,
/// a workload's own manifests.
pub const RULES: &[Rule] = &[
    error(
        "yaml-syntax",
        "the text is no YAML",
        "The file cannot be read beyond this place, so nothing after it was checked.\nAn editor with YAML support shows the same place. JSON is YAML too.",
    ),
    error(
        "yaml-budget",
        "the text is too large or too deep",
        "Bytes, nodes, depth and what aliases repeat are bounded, so that no file can stop the tools that read it.\nAliases that repeat more than 10,000 nodes are taken for a bomb.",
    ),
    error(
        "yaml-key",
        "a key is no text",
        "Keys of mappings are texts; a list or a mapping as a key has no meaning in JSON, into which every reader turns the file.",
    ),
    error(
        "alias-loop",
        "an alias stands inside its own anchor",
        "'*x' stands for all that '&x' marks. Inside of that it would stand for itself, without end, and nothing can be read there.\nWrite the value out.",
    ),
    error(
        "second-document",
        "the file has a second document",
        "A line of three dashes begins another document, and only one is read: what stands after it would be left out.\nPut all workloads into one list.",
    ),
    error(
        "duplicate-key",
        "a key stands twice in one mapping",
        "Readers disagree about which of the two counts: some take the first, some the last, kustomize refuses the file.\nRemove one.",
    ),
    error(
        "merge-key",
        "a merge key takes over nothing",
        "'<<' takes over the keys of a mapping, or of a list of mappings, usually by an alias: '<<: *base'.",
    ),
    error(
        "no-list",
        "the file has no list of workloads",
        "The file is a list of entries, or a mapping with that list under 'workloads' (older: 'inventory').",
    ),
    error(
        "two-lists",
        "the file has two lists",
        "'inventory' is the older name of 'workloads'. Put all entries under one of them.",
    ),
    error("entry-type", "an entry is no mapping", "Each entry is a mapping with 'runway_service_id'."),
    error(
        "empty-inventory",
        "there is no workload",
        "An inventory without workloads makes Flux delete everything that it applied, so none is ever built or pushed.\nIs this the right file, and the right environment?",
    ),
    error(
        "no-id",
        "an entry has no id",
        "'runway_service_id' names the workload's Flux objects, its namespace and its deploy artifact.",
    ),
    error("two-ids", "an entry has its id twice", "'name' is the older name of 'runway_service_id'. Keep the newer one."),
    error(
        "invalid-id",
        "an id cannot name Kubernetes objects",
        "The id becomes a namespace and a label value: 1 to 63 characters of a-z, 0-9 and '-', with a letter or a digit at both ends.\nAn id that YAML reads as a number, a date or a boolean has to be quoted.",
    ),
    error(
        "duplicate-id",
        "an id is listed twice",
        "Both entries would become the same two objects, and kustomize refuses the whole inventory.\nRemove or rename one.",
    ),
    error(
        "reserved-id",
        "an id is the name of a parent pair",
        "'<runtime>-inventory' names the objects that apply the inventory itself: a workload of that name would replace them.",
    ),
    warning(
        "shared-id",
        "an id is listed for another runtime too",
        "Both workloads read the same deploy artifact, since its name has only the id in it.\nWorkloads usually carry their runtime as a suffix, such as '-gke'.",
    ),
    warning(
        "unknown-key",
        "a key is not known",
        "It changes nothing, so it is either a typo or meant for another tool. With --strict it is an error.",
    ),
    error(
        "schema",
        "a value has the wrong type",
        "The message says what is expected. schemas/workloads.schema.json lets editors check it.",
    ),
    error(
        "ambiguous-scalar",
        "a text without quotes is read as something else",
        "YAML 1.1 reads no, on and off as booleans, 010 as the number 8, 12:30 as a number in base 60, 2024-01-31 as a date.\nPut quotes around it when a text is meant.",
    ),
    warning("duplicate-item", "a list has an item twice", "The second one changes nothing."),
    warning(
        "no-environment",
        "a workload is in no environment",
        "'environments: []' takes it out of every inventory: Flux removes it where it runs. Leave the key out for all environments.",
    ),
    error(
        "unknown-environment",
        "an environment is not known",
        "The settings' list 'environments' has the names that exist; a typo would leave the workload out silently.",
    ),
    warning(
        "region-spelling",
        "a region is not spelled as the runtime's cloud spells it",
        "GKE's regions look like us-east1, EKS's like us-east-1.",
    ),
    error(
        "override-key",
        "a field cannot be overridden",
        "'flux' takes fields of the Kustomization, 'flux.source' those of the OCIRepository.\nWhat names the workload (url, sourceRef) and 'suspend' are never taken: a written 'suspend' would undo what an on-call engineer set.",
    ),
    error(
        "duration",
        "a duration is none to Flux",
        "Flux's durations are numbers with units: 30s, 5m, 1h30m, 500ms. There are no days and no bare numbers, and a source's 'timeout' has no hours.\nThe API server would refuse the object, and with it the whole inventory.",
    ),
    error(
        "source-url",
        "a source's URL cannot be used",
        "It begins with oci://, and has a host and a repository in lower case, without a tag, a digest or a user name.\nIt is made from the settings registry.base and artifacts.deploy.",
    ),
    error(
        "source-ref",
        "a source's ref cannot be used",
        "A digest is sha256: and 64 hex digits; a tag has letters, digits, '_', '.' and '-'. Of several, digest counts before semver, and semver before tag.",
    ),
    error(
        "api-version",
        "the target Flux does not serve the API version",
        "Flux 2.8 and later serve only v1 of OCIRepository; one object of another version makes Flux refuse the whole inventory.\nSet source.apiVersion: v1 (Flux 2.6 and later).",
    ),
    warning(
        "deprecated-api",
        "the API version goes away with a newer Flux",
        "v1beta2 of OCIRepository is served up to Flux 2.7. Once all clusters have 2.6 or later, set source.apiVersion: v1.",
    ),
    error(
        "object-schema",
        "the API server would refuse an object",
        "The object was checked against the schema that the target Flux installs (--flux-version).\nOne object that is refused blocks every change of the inventory.",
    ),
    error(
        "unknown-field",
        "an object has a field that the API does not know",
        "The field does not exist in the target Flux, or is misspelled; the API server drops or refuses it.",
    ),
    error(
        "invisible-character",
        "a text has a character that nobody sees",
        "Control characters, zero-width characters and those that turn the direction of writing make people read something else than Flux does.\nWrite the text anew.",
    ),
    error(
        "depends-on-missing",
        "a workload depends on one that is not in the inventory",
        "Flux waits for it forever: DependencyNotReady. It has to be in the same environment.",
    ),
    error(
        "depends-on-cycle",
        "workloads depend on each other in a circle",
        "None of them is ever applied. Remove one of the dependencies.",
    ),
    warning(
        "substitution",
        "a ${variable} is not replaced where it stands",
        "A workload's postBuild replaces variables in what it applies, not in its own fields; only a parent with a postBuild of its own would, and it would do it before the workload sees them.\nWrite $${variable} for the literal text.",
    ),
    error(
        "undefined-variable",
        "a ${variable} is defined nowhere",
        "From Flux 2.9 on an undefined variable without a default fails the build; before, it became nothing.\nDefine it in postBuild.substitute, or give a default: ${variable:=value}.",
    ),
    error(
        "broken-variable",
        "a ${…} cannot be read by Flux",
        "Where a Kustomization has a postBuild, Flux reads every ${…} of every object, those of shell scripts too, and one that is none to it fails the build.\nWrite $${…} for the literal text, or keep the object out: the annotation kustomize.toolkit.fluxcd.io/substitute: disabled.",
    ),
    error(
        "variable-name",
        "a variable's name cannot be used",
        "Names of postBuild.substitute begin with a letter or '_' and go on with letters, digits and '_'; any other fails the build.",
    ),
    warning(
        "inventory-size",
        "the inventory comes near what Flux and etcd can take",
        "The parent's status lists every object, two per workload, with namespace, name and kind; etcd refuses requests over 1.5 MiB.\nWith ids of 26 characters that was seen at 7,531 workloads.\nLong before, the build gets slow: kustomize compares every object with every other, and the parent gives up after its timeout\n(measured: 9 s of processor time for 1,000 workloads, 55 s for 2,000). Split the runtime before.",
    ),
    error(
        "artifact-size",
        "the artifact would be too large to be read again",
        "16 MiB packed and 128 MiB unpacked are read from a registry: by the plan of the next push, and to say what runs. Flux has no limit, and needs the memory all the same.\nLeave out what is no manifest, or split it.",
    ),
    error(
        "missing-folder",
        "the environment's folder is not there",
        "The parent applies ./<environment>; without that folder it fails with ArtifactFailed, and nothing changes on the cluster.",
    ),
    error(
        "object-identity",
        "a document is no Kubernetes object",
        "Every document needs apiVersion, kind and metadata.name, or kustomize refuses the whole inventory.",
    ),
    error(
        "duplicate-object",
        "an object stands twice",
        "kustomize refuses all of it: \"may not add resource with an already registered id\". Two API versions of one object count as one here, since they are the same object on the cluster.",
    ),
    error(
        "unlisted-file",
        "a kustomization file leaves a manifest out",
        "In a folder with a kustomization.yaml Flux applies what that lists and nothing else, and deletes what it applied of the rest before.\nList the file under 'resources', or take the kustomization file away: then every manifest counts.",
    ),
    error(
        "missing-resource",
        "a kustomization file lists what is not there",
        "kustomize refuses the whole inventory, and nothing changes on the clusters until it is corrected.",
    ),
    error(
        "unpaired-object",
        "a workload has only one of its two objects",
        "A Kustomization without its OCIRepository applies nothing, an OCIRepository without its Kustomization is applied by nobody; where both were before, Flux deletes the one that is missing, and with a Kustomization all that it applied.",
    ),
    error(
        "source-ref-missing",
        "a Kustomization applies a source that is not its own",
        "spec.sourceRef names the OCIRepository that is applied. One that is not in the inventory makes Flux report ArtifactFailed;\nanother workload's is legal, and rarely meant.",
    ),
    warning(
        "written-suspend",
        "spec.suspend is written",
        "The parent applies it again and again: true keeps the workload from being deployed, false undoes what an on-call engineer suspends on a cluster.\nLeave it out.",
    ),
    error(
        "artifact-missing",
        "a workload's deploy artifact is not in the registry",
        "Flux would report OCIArtifactPullFailed. Has the workload's own pipeline pushed to this environment yet?",
    ),
    error(
        "artifact-type",
        "what the deploy tag holds is no Flux artifact",
        "The first layer has to be a gzipped tar, as flux push artifact and kubectl runway deploy push make it.",
    ),
    warning(
        "artifact-unknown",
        "a registry gave no answer about a deploy artifact",
        "Whether the artifact is there is not known, so verify cannot say yes: it exits 2.",
    ),
    error(
        "dry-run-refused",
        "the cluster refuses an object",
        "The API server was asked to apply the object without storing it (server-side apply, dryRun=All), and said no.",
    ),
    error(
        "settings-key",
        "a setting does not exist",
        "kubectl runway reads kubectl-runway.yaml; the message names the nearest key.",
    ),
    error("settings-type", "a setting has the wrong shape", "The message says what is expected."),
    error(
        "settings-value",
        "a setting's value cannot be used",
        "The message says why; nothing is done with settings that have a fault.",
    ),
    error(
        "unknown-workload",
        "the workload is not in workloads.yml",
        "No cluster would fetch what is published for it. Add it to the platform's workloads.yml first, or correct the name.",
    ),
    error(
        "not-in-environment",
        "the workload is not in this environment",
        "Its entry in workloads.yml lists other environments: no cluster of this one would fetch what is published.",
    ),
    error(
        "ignored-file",
        "a file would not arrive",
        "source-controller drops files of some names on every cluster, and Flux reads no JSON files. Rename the file, or write it as YAML.",
    ),
    error(
        "unwritable-object",
        "an object cannot be written as YAML",
        "It was read, and cannot be written again; this is a fault of the program.",
    ),
    error(
        "empty-artifact",
        "a deploy artifact has no object",
        "An artifact without objects makes Flux delete everything that it applied of the workload, so none is ever pushed.",
    ),
    error(
        "not-an-object",
        "a document is no Kubernetes object",
        "Every document is a mapping with apiVersion, kind and metadata.name.",
    ),
    error(
        "no-api-version",
        "an object has no apiVersion",
        "It says which API reads the object, such as v1 or apps/v1; it is a text.",
    ),
    error("invalid-api-version", "an apiVersion is none", "It is VERSION or GROUP/VERSION, in lower case."),
    error("no-kind", "an object has no kind", "It says what the object is, such as Deployment; it is a text."),
    error("no-name", "an object has no name", "metadata.name is a text; one that looks like a number has to be quoted."),
    error(
        "generate-name",
        "an object gets its name from the API server",
        "With generateName every apply would make another object. Flux needs a fixed name to find again what it applied.",
    ),
    error(
        "invalid-name",
        "an object's name cannot be used",
        "The API server would refuse it; names are DNS subdomains, of some kinds labels.",
    ),
    error(
        "invalid-namespace",
        "an object's namespace is none",
        "It is a text, and an RFC 1123 label: 1 to 63 of a-z, 0-9 and '-'.",
    ),
    error(
        "no-namespace",
        "an object of a namespaced kind names no namespace",
        "Flux fills none in, and the API server refuses the object. Write metadata.namespace, or name one for all with --target-namespace.",
    ),
    error(
        "namespace-not-allowed",
        "an object would go to a namespace that is not the workload's",
        "The setting deploy.namespaces lists the namespaces that are allowed.",
    ),
    error(
        "not-a-text",
        "a label, an annotation or a value is no text",
        "Only texts are allowed there; put quotes around numbers, true and false.",
    ),
    error(
        "plain-secret",
        "a Secret carries its values as they are",
        "Whoever may read the registry can read them. Take them from a secret store or encrypt them with SOPS; --allow-secrets publishes them.",
    ),
    error(
        "not-rendered",
        "the manifests cannot be read, or the chart cannot be rendered",
        "The message has helm's own words, or what is wrong with the file. Nothing else was checked.",
    ),
    error(
        "not-looked-at",
        "the workload's Flux objects would not look at what is pushed",
        "deploy push writes one file into the artifact's root and sets the environment's tag. In the list, the workload's flux: settings lead elsewhere.",
    ),
    error(
        "kustomization-file",
        "a file is for kustomize, not for the cluster",
        "What kustomize would make of it is not looked at here, but for a plain list of files in an inventory.\nBuild it first and push what comes out: kubectl kustomize DIR | kubectl runway deploy push WORKLOAD -f -",
    ),
    error(
        "too-large",
        "an object is too large to be applied",
        "etcd takes 1.5 MiB, a ConfigMap or Secret holds 1 MiB, annotations 256 KiB.",
    ),
    warning(
        "cluster-fields",
        "an object has fields that only a cluster writes",
        "It was taken from a cluster with kubectl get -o yaml. A resourceVersion or uid of another time makes the API server refuse the object as a conflict,\nand what stands in status or managedFields is dropped or refused. Take the fields out.",
    ),
    warning(
        "helm-hook",
        "an object is a hook of Helm",
        "Flux knows no hooks and applies it like everything else. Leave it out, or turn it into an object that may stay.",
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
