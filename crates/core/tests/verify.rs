//! Every code of the table is fired by one input and not by its neighbour, and no code is used that is not in the table.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::format_collect,
    reason = "a test reads the sources and fails by panicking; its table is one function"
)]

use runway_core::artifact::{Manifest, Tree};
use runway_core::deploy;
use runway_core::finding::{Finding, Severity};
use runway_core::flux::crds::Release;
use runway_core::settings::{Layer, resolve};
use runway_core::verify::asked::{Answer, Artifact, Refusal, artifacts, refusals};
use runway_core::verify::rules::{self, RULES};
use runway_core::verify::{Facts, Listed, declared, published};
use runway_core::workloads;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is verified.
enum Input<'a> {
    /// A workloads.yml.
    File(&'a str),
    /// A workloads.yml with settings and a Flux release.
    With(&'a str, &'a str, &'a str),
    /// Many workloads.
    Many(usize),
    /// The files of an artifact, each below a folder.
    Files(&'a [(&'a str, &'a str)]),
    /// Settings alone.
    Settings(&'a str),
    /// A workload's own manifests.
    Manifests(&'a str),
    /// What a registry answered about the workload `a`.
    Asked(Answer),
    /// What a cluster refused of the workload `a`.
    Refused(&'a str),
}

use Input::{Asked, File, Files, Manifests, Many, Refused, Settings, With};

fn facts() -> Facts {
    Facts {
        runtime: "gke".to_owned(),
        environments: vec!["production".to_owned()],
        named: true,
        release: None,
        others: vec![Listed {
            runtime: "eks".to_owned(),
            file: "eks.yml".to_owned(),
            ids: BTreeMap::from([("both".to_owned(), 7)]),
        }],
    }
}

fn findings(input: &Input<'_>) -> Vec<Finding> {
    let file = |text: &str, settings: &str, release: &str| {
        let (layer, wrong) = Layer::from_file("settings", settings);
        assert!(wrong.is_empty(), "{wrong:?}");
        let facts = Facts { release: (!release.is_empty()).then(|| Release::parse(release).unwrap()), ..facts() };
        let (list, mut found) = workloads::parse("w.yml", text);
        found.extend(declared::check(&list, &resolve([layer]), &facts));
        found
    };
    let one = || workloads::parse("w.yml", "- runway_service_id: a\n").0;
    match input {
        File(text) => file(text, "", ""),
        With(text, settings, release) => file(text, settings, release),
        Many(count) => file(&(0..*count).map(|n| format!("- runway_service_id: w{n}\n")).collect::<String>(), "", ""),
        Manifests(content) => {
            let namespaces = ["shop".to_owned()];
            let rules = deploy::Rules { namespaces: &namespaces, ..deploy::Rules::default() };
            deploy::read(&[deploy::Text { file: "m.yaml", content }], &rules).findings
        }
        Settings(text) => Layer::from_file("settings", text).1,
        Asked(answer) => {
            let asked = Artifact { workload: "a".to_owned(), reference: "h/a:production".to_owned(), answer: answer.clone() };
            artifacts(&one(), &[asked])
        }
        Refused("") => refusals(&one(), &[]),
        Refused(message) => {
            let refusal = Refusal {
                cluster: "c".to_owned(),
                workload: "a".to_owned(),
                object: "Kustomization x/a".to_owned(),
                message: (*message).to_owned(),
            };
            refusals(&one(), &[refusal])
        }
        Files(files) => {
            let mut tree = Tree::new();
            for (path, text) in *files {
                tree.insert(path, text.as_bytes().to_vec()).unwrap();
            }
            published::check(&tree, "production", "tree", &facts())
        }
    }
}

const OK: Input<'static> = File("- runway_service_id: a\n");

fn manifest(layer: &str) -> Answer {
    let text = format!("{{\"schemaVersion\":2,\"layers\":[{{\"mediaType\":\"{layer}\",\"size\":1,\"digest\":\"sha256:0\"}}]}}");
    Answer::Manifest(Box::new(Manifest::parse(text.as_bytes()).unwrap()))
}

/// An object that no cluster takes.
fn large() -> &'static str {
    static TEXT: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: shop}}\ndata: {{k: {}}}\n", "x".repeat(2 << 20))
    });
    &TEXT
}

/// More than is read again of an artifact.
fn endless() -> &'static str {
    static TEXT: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "x".repeat(128 << 20));
    &TEXT
}

/// Code, what fires it, and the nearest thing that does not.
fn cases() -> Vec<(&'static str, Input<'static>, Input<'static>)> {
    const PAIR: &str = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: a}\nspec: {interval: 5m, url: \"oci://h/a\"}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {interval: 5m, prune: true, sourceRef: {kind: OCIRepository, name: a}}\n";
    const SOURCE: &str = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: a}\nspec: {interval: 5m, url: \"oci://h/a\"}\n";
    const OF_B: &str = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: b}\nspec: {interval: 5m, url: \"oci://h/b\"}\n";
    const OTHER_SOURCE: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {interval: 5m, prune: true, sourceRef: {kind: OCIRepository, name: b}}\n";
    const GIT: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {interval: 5m, prune: true, sourceRef: {kind: GitRepository, name: a}}\n";
    const SUSPENDED: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {interval: 5m, prune: true, suspend: true, sourceRef: {kind: OCIRepository, name: a}}\n";
    const PARENT: &str = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: gke-inventory}\nspec: {interval: 5m, url: \"oci://h/a\"}\n";
    const LISTED: &[(&str, &str)] =
        &[("production/inventory.yaml", PAIR), ("production/kustomization.yaml", "resources: [inventory.yaml]\n")];
    const PRODUCTION: &str = "production/inventory.yaml";
    const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {port: \"8080\"}\n";
    let depends = |on| With(on, "", "");
    vec![
        ("yaml-syntax", File("- runway_service_id: [a\n"), OK),
        (
            "yaml-budget",
            File(
                "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d]\n",
            ),
            File("workloads: &x\n- runway_service_id: a\n"),
        ),
        (
            "yaml-budget",
            File(
                "- [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
            ),
            OK,
        ),
        (
            "alias-loop",
            File("- &a {runway_service_id: x, members: [foo, *a]}\n"),
            File("- &a {runway_service_id: x, members: &b [foo]}\n- {runway_service_id: y, members: *b}\n"),
        ),
        (
            "second-document",
            File("- runway_service_id: a\n---\n- runway_service_id: b\n"),
            File("---\n- runway_service_id: a\n---\n# nothing\n"),
        ),
        ("yaml-key", File("- runway_service_id: a\n  ? [x]\n  : y\n"), OK),
        (
            "duplicate-key",
            File("- runway_service_id: a\n  regions: []\n  regions: []\n"),
            File("- runway_service_id: a\n  regions: []\n  groups: []\n"),
        ),
        (
            "merge-key",
            File("- runway_service_id: a\n  <<: x\n"),
            File("- &a {runway_service_id: a, regions: []}\n- {<<: *a, runway_service_id: b}\n"),
        ),
        ("no-list", File("workload: []\n"), File("workloads: [{runway_service_id: a}]\n")),
        ("two-lists", File("workloads: [{name: a}]\ninventory: [{name: a}]\n"), File("inventory: [{name: a}]\n")),
        ("entry-type", File("- a\n"), OK),
        ("empty-inventory", File("[]\n"), OK),
        (
            "empty-inventory",
            File("- runway_service_id: a\n  environments: [staging]\n"),
            File("- runway_service_id: a\n  environments: [production]\n"),
        ),
        ("empty-inventory", Files(&[(PRODUCTION, "# nothing\n")]), Files(&[(PRODUCTION, PAIR)])),
        ("empty-inventory", Files(&[(PRODUCTION, CONFIG)]), Files(&[(PRODUCTION, PAIR), ("production/c.yaml", CONFIG)])),
        ("no-id", File("- runway_servce_id: a\n"), OK),
        ("no-id", File("- runway_service_id: ~\n"), File("- runway_service_id: \"null\"\n")),
        ("two-ids", File("- runway_service_id: a\n  name: a\n"), File("- name: a\n")),
        ("invalid-id", File("- runway_service_id: A_b\n"), OK),
        ("invalid-id", File("- runway_service_id: no\n"), File("- runway_service_id: \"no\"\n")),
        (
            "duplicate-id",
            File("- runway_service_id: a\n- runway_service_id: a\n"),
            File("- runway_service_id: a\n- runway_service_id: b\n"),
        ),
        ("reserved-id", File("- runway_service_id: gke-inventory\n"), File("- runway_service_id: my-inventory\n")),
        ("reserved-id", Files(&[(PRODUCTION, PARENT)]), Files(&[(PRODUCTION, PAIR)])),
        ("shared-id", File("- runway_service_id: both\n"), OK),
        (
            "unknown-key",
            File("- runway_service_id: a\n  regons: [us-east1]\n"),
            File("- runway_service_id: a\n  pam_config: {}\n"),
        ),
        ("schema", File("- runway_service_id: a\n  project_id: x\n"), File("- runway_service_id: a\n  project_id: 12\n")),
        (
            "ambiguous-scalar",
            File("- runway_service_id: a\n  project_id: 010\n"),
            File("- runway_service_id: a\n  project_id: 10\n"),
        ),
        (
            "ambiguous-scalar",
            File("- runway_service_id: a\n  flux: {prune: no}\n"),
            File("- runway_service_id: a\n  flux: {prune: false}\n"),
        ),
        (
            "ambiguous-scalar",
            File("- runway_service_id: a\n  groups: [010]\n"),
            File("- runway_service_id: a\n  groups: [\"010\"]\n"),
        ),
        (
            "ambiguous-scalar",
            File("- runway_service_id: a\n  flux: {path: 010}\n"),
            File("- runway_service_id: a\n  flux: {path: \"010\"}\n"),
        ),
        (
            "duplicate-item",
            File("- runway_service_id: a\n  groups: [x, x]\n"),
            File("- runway_service_id: a\n  groups: [x, y]\n"),
        ),
        ("no-environment", File("- runway_service_id: a\n  environments: []\n"), OK),
        (
            "unknown-environment",
            File("- runway_service_id: a\n  environments: [prod, production]\n"),
            File("- runway_service_id: a\n  environments: [staging, production]\n"),
        ),
        (
            "region-spelling",
            File("- runway_service_id: a\n  regions: [us-east-1]\n"),
            File("- runway_service_id: a\n  regions: [us-east1]\n"),
        ),
        (
            "override-key",
            File("- runway_service_id: a\n  flux: {suspend: true}\n"),
            File("- runway_service_id: a\n  flux: {wait: true}\n"),
        ),
        (
            "duration",
            File("- runway_service_id: a\n  flux: {source: {timeout: 1h}}\n"),
            File("- runway_service_id: a\n  flux: {source: {timeout: 60m}, timeout: 1h}\n"),
        ),
        (
            "duration",
            File("- runway_service_id: a\n  flux: {interval: 5}\n"),
            File("- runway_service_id: a\n  flux: {interval: 5m}\n"),
        ),
        (
            "source-url",
            With("- runway_service_id: a\n", "registry: {base: H/Upper}\n", ""),
            With("- runway_service_id: a\n", "registry: {base: h/lower}\n", ""),
        ),
        (
            "source-ref",
            File("- runway_service_id: a\n  flux: {source: {ref: {digest: \"sha256:1\"}}}\n"),
            File("- runway_service_id: a\n  flux: {source: {ref: {semver: \">=1.0.0\"}}}\n"),
        ),
        (
            "source-ref",
            File("- runway_service_id: a\n  flux: {source: {ref: {tag: x, semver: \">=1\"}}}\n"),
            File("- runway_service_id: a\n  flux: {source: {ref: {tag: x}}}\n"),
        ),
        (
            "api-version",
            With("- runway_service_id: a\n", "source: {apiVersion: v1beta2}\n", "2.8"),
            With("- runway_service_id: a\n", "", "2.8"),
        ),
        (
            "api-version",
            Files(&[(PRODUCTION, "apiVersion: source.toolkit.fluxcd.io/v1beta3\nkind: OCIRepository\nmetadata: {name: a}\n")]),
            Files(&[(PRODUCTION, PAIR)]),
        ),
        (
            "deprecated-api",
            With("- runway_service_id: a\n", "source: {apiVersion: v1beta2}\n", ""),
            With("- runway_service_id: a\n", "", "2.6"),
        ),
        (
            "object-schema",
            File("- runway_service_id: a\n  flux: {prune: null}\n"),
            File("- runway_service_id: a\n  flux: {prune: false}\n"),
        ),
        (
            "object-schema",
            File("- runway_service_id: a\n  flux: {wait: \"true\"}\n"),
            File("- runway_service_id: a\n  flux: {wait: true}\n"),
        ),
        (
            "unknown-field",
            File("- runway_service_id: a\n  flux: {dependsOn: [{name: a, naemspace: x}]}\n"),
            File("- runway_service_id: a\n  flux: {dependsOn: [{name: a, namespace: x}]}\n"),
        ),
        (
            "unknown-field",
            With("- runway_service_id: a\n  flux: {postBuild: {substituteStrategy: Always}}\n", "", "2.7"),
            With("- runway_service_id: a\n  flux: {postBuild: {substituteStrategy: Always}}\n", "", "2.9"),
        ),
        (
            "depends-on-missing",
            depends("- runway_service_id: a\n  flux: {dependsOn: [{name: bb}]}\n"),
            depends(
                "- runway_service_id: a\n  flux: {dependsOn: [{name: b}, {name: x, namespace: other}, {name: gke-inventory}]}\n- runway_service_id: b\n",
            ),
        ),
        (
            "depends-on-missing",
            depends(
                "- runway_service_id: a\n  flux: {dependsOn: [{name: b}]}\n- runway_service_id: b\n  environments: [staging]\n",
            ),
            OK,
        ),
        (
            "depends-on-cycle",
            depends(
                "- runway_service_id: a\n  flux: {dependsOn: [{name: b}]}\n- runway_service_id: b\n  flux: {dependsOn: [{name: a}]}\n",
            ),
            depends(
                "- runway_service_id: a\n  flux: {dependsOn: [{name: b}, {name: c}]}\n- runway_service_id: b\n  flux: {dependsOn: [{name: c}]}\n- runway_service_id: c\n",
            ),
        ),
        (
            "substitution",
            File("- runway_service_id: a\n  flux: {path: \"./${region}\"}\n"),
            File("- runway_service_id: a\n  flux: {path: \"./$${region}\"}\n"),
        ),
        (
            "undefined-variable",
            File("- runway_service_id: a\n  flux: {postBuild: {substitute: {a: b}}, patches: [{patch: \"${c}\"}]}\n"),
            File("- runway_service_id: a\n  flux: {postBuild: {substitute: {a: b}}, patches: [{patch: \"${a} ${c:=d}\"}]}\n"),
        ),
        (
            "broken-variable",
            File("- runway_service_id: a\n  flux: {postBuild: {substitute: {a: b}}, patches: [{patch: \"${a-b.c!}\"}]}\n"),
            File("- runway_service_id: a\n  flux: {postBuild: {substitute: {a: b}}, patches: [{patch: \"$${a-b.c!}\"}]}\n"),
        ),
        (
            "variable-name",
            File("- runway_service_id: a\n  flux: {postBuild: {substitute: {a-b: c}}}\n"),
            File("- runway_service_id: a\n  flux: {postBuild: {substitute: {a_b: c}}}\n"),
        ),
        ("inventory-size", Many(3_000), Many(2_999)),
        (
            "artifact-size",
            Files(Box::leak(Box::new([(PRODUCTION, PAIR), ("production/notes.txt", endless())]))),
            Files(&[(PRODUCTION, PAIR), ("production/notes.txt", "x")]),
        ),
        ("missing-folder", Files(&[("staging/inventory.yaml", PAIR)]), Files(&[(PRODUCTION, PAIR)])),
        (
            "object-identity",
            Files(&[(PRODUCTION, "kind: ConfigMap\nmetadata: {name: a}\n")]),
            Files(&[(PRODUCTION, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")]),
        ),
        ("duplicate-object", Files(&[(PRODUCTION, PAIR), ("production/more.yml", PAIR)]), Files(&[(PRODUCTION, PAIR)])),
        ("unlisted-file", Files(&[(PRODUCTION, PAIR), ("production/kustomization.yaml", "resources: []\n")]), Files(LISTED)),
        ("unlisted-file", Files(&[(PRODUCTION, PAIR), ("production/Kustomization", "resources: []\n")]), Files(LISTED)),
        (
            "missing-resource",
            Files(&[(PRODUCTION, PAIR), ("production/kustomization.yml", "resources: [inventory.yaml, other.yaml]\n")]),
            Files(LISTED),
        ),
        (
            "kustomization-file",
            Files(&[(PRODUCTION, PAIR), ("production/kustomization.yaml", "resources: [inventory.yaml]\nnamespace: x\n")]),
            Files(LISTED),
        ),
        ("ignored-file", Files(&[("production/cloudbuild.yaml", PAIR)]), Files(&[(PRODUCTION, PAIR)])),
        (
            "ignored-file",
            Files(&[(PRODUCTION, PAIR), (".sourceignore", "inventory.yaml\n")]),
            Files(&[(PRODUCTION, PAIR), (".sourceignore", "/inventory.yaml\n!production\n")]),
        ),
        ("unpaired-object", Files(&[(PRODUCTION, SOURCE)]), Files(&[(PRODUCTION, PAIR)])),
        (
            "unpaired-object",
            Files(&[(PRODUCTION, "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\n")]),
            Files(&[(PRODUCTION, PAIR)]),
        ),
        ("source-ref-missing", Files(&[(PRODUCTION, OTHER_SOURCE)]), Files(&[(PRODUCTION, PAIR)])),
        (
            "source-ref-missing",
            Files(&[(PRODUCTION, OTHER_SOURCE), ("production/b.yaml", OF_B)]),
            Files(&[(PRODUCTION, PAIR), ("production/b.yaml", OF_B)]),
        ),
        ("source-ref-missing", Files(&[(PRODUCTION, GIT)]), Files(&[(PRODUCTION, PAIR)])),
        ("written-suspend", Files(&[(PRODUCTION, SUSPENDED)]), Files(&[(PRODUCTION, PAIR)])),
        (
            "plain-secret",
            Files(&[
                (PRODUCTION, PAIR),
                ("production/s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: v}\n"),
            ]),
            Files(&[(
                PRODUCTION,
                "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: v}\nsops: {version: 3.9.0}\n",
            )]),
        ),
        (
            "invisible-character",
            File("- runway_service_id: a\n  flux: {path: \"./a\\u202Eb\"}\n"),
            File("- runway_service_id: a\n  flux: {path: \"./äöü\", patches: [{patch: \"a\\nb\\tc\"}]}\n"),
        ),
        ("artifact-missing", Asked(Answer::NotThere), Asked(manifest("application/vnd.cncf.flux.content.v1.tar+gzip"))),
        (
            "artifact-type",
            Asked(manifest("application/vnd.oci.image.layer.v1.tar+gzip")),
            Asked(manifest("application/vnd.cncf.flux.content.v1.tar+gzip")),
        ),
        ("artifact-type", Asked(Answer::NoArtifact("an index".to_owned())), Asked(Answer::NotThere)),
        ("artifact-unknown", Asked(Answer::Unknown("401".to_owned())), Asked(Answer::NotThere)),
        ("dry-run-refused", Refused("spec.interval: Invalid value"), Refused("")),
        ("settings-key", Settings("namespce: x\n"), Settings("namespace: x\n")),
        ("settings-type", Settings("clusters: x\n"), Settings("clusters: []\n")),
        ("empty-artifact", Manifests("# nothing\n"), Manifests(CONFIG)),
        ("not-an-object", Manifests("- a\n"), Manifests(CONFIG)),
        ("no-api-version", Manifests("kind: ConfigMap\nmetadata: {name: a, namespace: shop}\n"), Manifests(CONFIG)),
        (
            "invalid-api-version",
            Manifests("apiVersion: a/b/c\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n"),
            Manifests(CONFIG),
        ),
        ("no-kind", Manifests("apiVersion: v1\nmetadata: {name: a, namespace: shop}\n"), Manifests(CONFIG)),
        ("no-name", Manifests("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 5, namespace: shop}\n"), Manifests(CONFIG)),
        (
            "generate-name",
            Manifests("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a, namespace: shop}\n"),
            Manifests(CONFIG),
        ),
        ("invalid-name", Manifests("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A, namespace: shop}\n"), Manifests(CONFIG)),
        (
            "invalid-namespace",
            Manifests("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: ..}\n"),
            Manifests(CONFIG),
        ),
        ("no-namespace", Manifests("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"), Manifests(CONFIG)),
        (
            "namespace-not-allowed",
            Manifests("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: other}\n"),
            Manifests(CONFIG),
        ),
        (
            "not-a-text",
            Manifests("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {port: 8080}\n"),
            Manifests(CONFIG),
        ),
        (
            "plain-secret",
            Manifests("apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: shop}\ndata: {k: dg==}\n"),
            Manifests(CONFIG),
        ),
        (
            "kustomization-file",
            Manifests("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: a, namespace: shop}\n"),
            Manifests(CONFIG),
        ),
        ("too-large", Manifests(large()), Manifests(CONFIG)),
        (
            "cluster-fields",
            Manifests("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop, uid: x}\n"),
            Manifests(CONFIG),
        ),
        (
            "helm-hook",
            Manifests("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop, annotations: {helm.sh/hook: x}}\n"),
            Manifests(CONFIG),
        ),
        ("settings-value", Settings("source: {interval: 5}\n"), Settings("source: {interval: 5m}\n")),
    ]
}

#[test]
fn each_rule_fires_and_its_neighbour_does_not() {
    for (code, bad, good) in cases() {
        let rule = rules::of(code).unwrap_or_else(|| panic!("{code} is not in the table"));
        let found = findings(&bad);
        let hit = found.iter().find(|finding| finding.code == code).unwrap_or_else(|| panic!("{code} did not fire: {found:#?}"));
        assert!(hit.severity == rule.severity || rule.severity == Severity::Error, "{code} is heavier than its rule");
        let spared = findings(&good);
        assert!(spared.iter().all(|finding| finding.code != code), "{code}: {spared:#?}");
    }
}

#[test]
fn each_code_of_the_table_has_a_case() {
    let tested: BTreeSet<&str> = cases().into_iter().map(|(code, ..)| code).collect();
    // Fired where their surroundings are: by the tests of `deploy/declared.rs` and `tests/cli/deploy.rs`; the last one would
    // need a value that was read from YAML and cannot be written.
    let elsewhere = ["unknown-workload", "not-in-environment", "not-looked-at", "not-rendered", "unwritable-object"];
    let listed: BTreeSet<&str> = RULES.iter().map(|rule| rule.code).filter(|code| !elsewhere.contains(code)).collect();
    assert_eq!(tested, listed);
}

/// Code and place of each finding.
fn placed(text: &str, settings: &str) -> Vec<String> {
    findings(&With(text, settings, "")).into_iter().map(|finding| format!("{} {}", finding.place, finding.code)).collect()
}

#[test]
fn a_finding_points_to_the_line_that_wrote_the_field() {
    let file = "\
defaults:
  flux: {timeout: 5d}
workloads:
- runway_service_id: a
  flux:
    interval: 5
    healthChecks:
    - kind: Deployment
      nmae: x
- runway_service_id: b
  flux: {interval: 1m, retryInterval: null}
  environments:
    production:
      flux:
        interval: 10x
        prune: null
        source: {verify: {provider: gpg}}
- runway_service_id: c
- runway_service_id: d
";
    assert_eq!(
        placed(file, ""),
        [
            // Of the defaults once, though it is wrong in four workloads.
            "w.yml:2:19 duration",
            "w.yml:6:15 duration",
            // `apiVersion` (no), `name` is what lacks: said at the list.
            "w.yml:7:5 object-schema",
            "w.yml:9:7 unknown-field",
            "w.yml:15:19 duration",
            "w.yml:16:9 object-schema",
            "w.yml:17:37 object-schema",
        ]
    );
    // A setting that is wrong is said once, at the setting.
    assert_eq!(
        placed("- runway_service_id: a\n- runway_service_id: b\n", "registry:\n  base: h/X\n"),
        ["settings:2:9 source-url"]
    );
}

#[test]
fn chains_of_any_length_are_followed() {
    let link = |n: usize| format!("- runway_service_id: w{n}\n  flux: {{dependsOn: [{{name: w{}}}]}}\n", n + 1);
    let chain: String = (0..2_900).map(link).collect();
    let open = format!("{chain}- runway_service_id: w2900\n");
    assert_eq!(placed(&open, ""), Vec::<String>::new());
    let closed = format!("{chain}- runway_service_id: w2900\n  flux: {{dependsOn: [{{name: w1}}, {{name: w2900}}]}}\n");
    let found = findings(&File(&closed));
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["depends-on-cycle"; 2]);
    assert!(found.iter().any(|finding| finding.message == "w2900 depends on itself"), "{found:?}");
}

#[test]
fn dependencies_come_from_every_layer_and_hold_in_every_environment() {
    let both = |text: &str| {
        let facts = Facts { environments: vec!["staging".to_owned(), "production".to_owned()], ..facts() };
        let (list, _) = workloads::parse("w.yml", text);
        let found = declared::check(&list, &resolve([Layer::default()]), &facts);
        found.into_iter().map(|finding| format!("{} {}", finding.place, finding.message)).collect::<Vec<_>>()
    };
    let defaults =
        "defaults: {flux: {dependsOn: [{name: base}]}}\nworkloads:\n- runway_service_id: base\n- runway_service_id: longest\n";
    assert_eq!(both(defaults), ["w.yml:1:38 base depends on itself"]);
    assert_eq!(both(&defaults.replace("id: base\n", "id: base\n  flux: {dependsOn: null}\n")), Vec::<String>::new());
    let only_staging =
        "- runway_service_id: a\n  flux: {dependsOn: [{name: b}]}\n- runway_service_id: b\n  environments: [staging]\n";
    assert_eq!(both(only_staging), ["w.yml:2:29 a depends on b, which is not in production"]);
    let only_there =
        "- runway_service_id: a\n  flux: {timeout: 1m}\n  environments: {staging: , production: {flux: {timeout: x}}}\n";
    assert_eq!(
        both(only_there),
        ["w.yml:3:58 Kustomization: spec.timeout 'x' cannot be used: a number is expected before each unit"]
    );
}

#[test]
fn substitution_depends_on_who_replaces() {
    let flux = |flux: &str, release: &str| {
        let found = findings(&With(&format!("- runway_service_id: a\n  flux: {flux}\n"), "", release));
        found.into_iter().map(|finding| (finding.code, finding.severity)).collect::<Vec<_>>()
    };
    let patches = "patches: [{patch: \"${region}\"}]";
    let with = |post_build: &str| format!("{{{patches}, postBuild: {post_build}}}");
    assert_eq!(flux(&with("{substitute: {x: z}}"), ""), [("undefined-variable", Severity::Error)]);
    // Before 2.9 it became nothing.
    assert_eq!(flux(&with("{substitute: {x: z}}"), "2.8"), [("undefined-variable", Severity::Warning)]);
    assert_eq!(flux(&with("{substitute: {region: z}}"), ""), []);
    // What a ConfigMap holds cannot be seen.
    assert_eq!(flux(&with("{substituteFrom: [{kind: ConfigMap, name: x}]}"), ""), []);
    assert_eq!(flux(&format!("{{{patches}}}"), ""), [("substitution", Severity::Warning)]);
    assert_eq!(flux("{postBuild: {substitute: {x: \"${y}\"}}}", ""), [("substitution", Severity::Warning)]);
}

/// Where a code stands in the sources: right after one of these.
const BEFORE: &[&str] = &[
    "Finding::error(",
    "self.error(",
    "self.push(",
    "self.fault(",
    "walker.fault(",
    "code: ",
    "say(",
    "finding(",
    "at(",
    "fault(&place, ",
    "self.at(",
    "fault(",
    "fault(file, node, ",
    "fault(file, at, ",
    "fault(file, key, ",
    "fault(file, name, ",
    "fault(file, value, ",
    "fault(file, api, ",
    "fault(file, namespace, ",
    "Some((",
    "\"kind\", ",
    "\"apiVersion\", ",
    "if generated { ",
    "else { ",
];

fn codes_in(text: &str) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]").next().unwrap();
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(");
    let mut found = BTreeSet::new();
    for before in BEFORE {
        for (at, _) in flat.match_indices(before) {
            let rest = flat.get(at + before.len()..).and_then(|rest| rest.strip_prefix('"'));
            let word: String = rest.unwrap_or_default().chars().take_while(|c| *c != '"').collect();
            // Whoever looks for a file of this name means the program.
            if word != "kubectl-runway" && word.contains('-') && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
                found.insert(word);
            }
        }
    }
    found
}

#[test]
fn no_code_is_used_that_is_not_in_the_table() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![core.join("src"), core.join("../../src")];
    let mut used = BTreeSet::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("verify/rules.rs") {
                used.extend(codes_in(&std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    let listed: BTreeSet<String> = RULES.iter().map(|rule| rule.code.to_owned()).collect();
    let strangers: Vec<&String> = used.difference(&listed).collect();
    assert!(strangers.is_empty(), "not in verify/rules.rs: {strangers:?}");
    // The scan sees most of them, so it would see a stranger.
    assert!(used.len() * 10 > listed.len() * 8, "the scan finds only {used:?}");
    assert_eq!(codes_in("x.error(\n    \"a-b\""), BTreeSet::new());
    assert_eq!(codes_in("self.error(\n    \"a-b\", node)"), BTreeSet::from(["a-b".to_owned()]));
}
