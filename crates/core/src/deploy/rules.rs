//! The findings about a workload's manifests; the rest of the table stands in `verify::rules`.

use crate::finding::Rule;

/// The table, by subject: objects, their names, what the platform forbids, what is published as a whole.
pub const RULES: &[Rule] = &[
    Rule::error(
        "not-an-object",
        "a document is no Kubernetes object",
        "Each document is a mapping with apiVersion, kind and metadata.name. A list or a text among them stops Flux's build, and with it everything else.",
    ),
    Rule::error("no-api-version", "an object has no apiVersion", "Without it the API server does not know whom to ask."),
    Rule::error("invalid-api-version", "an apiVersion is none", "It is VERSION, or GROUP/VERSION, such as v1 or apps/v1."),
    Rule::error("no-kind", "an object has no kind", "Without it the API server does not know what the object is."),
    Rule::error("no-name", "an object has no name", "metadata.name is what Flux finds the object by at the next run."),
    Rule::error(
        "generate-name",
        "an object has only a generateName",
        "Flux would make a new object at every run, and could not delete the old ones. Give it a name.",
    ),
    Rule::error(
        "invalid-name",
        "a name is none that the API server takes",
        "Most kinds take RFC 1123 subdomains: lower-case letters, digits, '-' and '.'.",
    ),
    Rule::error(
        "invalid-namespace",
        "a namespace is none",
        "Namespaces are RFC 1123 labels: lower-case letters, digits and '-', at most 63.",
    ),
    Rule::error(
        "not-a-text",
        "a label, annotation or ConfigMap value is no text",
        "YAML reads it as a number or a boolean, and the API server refuses it. Quote it.",
    ),
    Rule::error(
        "kustomization-file",
        "a file for kustomize is among the manifests",
        "Flux would take it as its own build file, and then only what it lists counts.\nBuild first: kubectl kustomize DIR | kubectl runway deploy push WORKLOAD -f -",
    ),
    Rule::error(
        "no-namespace",
        "an object names no namespace",
        "Flux fills none in, and applies the object to the namespace of its Kustomization. Name the workload's own.",
    ),
    Rule::error(
        "namespace-not-allowed",
        "an object would go to a foreign namespace",
        "A workload has a namespace of its own. What goes elsewhere needs to be allowed in the settings.",
    ),
    Rule::error(
        "plain-secret",
        "a Secret carries its values as they are",
        "Whoever can read the registry can read them. Take them from a secret store, or encrypt them; --allow-secrets publishes them nevertheless.",
    ),
    Rule::warning(
        "helm-hook",
        "an object is a Helm hook",
        "Flux knows no hooks: it applies the object like everything else, at every run. Leave it out, or turn it into an object that may stay.",
    ),
    Rule::error(
        "too-large",
        "an object is too large",
        "The API server refuses objects that etcd cannot store, about 1.5 MiB; a ConfigMap's data ends at 1 MiB.",
    ),
    Rule::error(
        "empty-artifact",
        "there is no object to publish",
        "Flux would delete everything that the workload applied. An empty artifact is never published.",
    ),
    Rule::error(
        "unknown-workload",
        "the workload is not in workloads.yml",
        "No cluster would fetch what is published for it. Add it to the platform's workloads.yml first, or correct the name.",
    ),
    Rule::error(
        "not-in-environment",
        "the workload is not in this environment",
        "Its entry in workloads.yml lists other environments: no cluster of this one would fetch what is published.",
    ),
];
