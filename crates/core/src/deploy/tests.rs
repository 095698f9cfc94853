//! The rules, each with a text that breaks it.

use super::{Manifests, Rules, Substitution, Text, held, read, write};
use crate::artifact::Tree;
use crate::finding::Severity;
use crate::flux::crds::Release;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: shop\ndata:\n  k: v\n";

fn with(text: &str, rules: &Rules<'_>) -> Manifests {
    read(&[Text { file: "m.yaml", content: text }], rules)
}

fn found(text: &str) -> Vec<String> {
    with(text, &Rules::default()).findings.iter().map(|f| format!("{} {}", f.code, f.place)).collect()
}

#[test]
fn a_good_object_is_written_anew() {
    let manifests = with(&format!("# Source: chart/x.yaml\n{}", CONFIG.replace("  k: v", "  k:   'v' # why")), &Rules::default());
    assert!(manifests.findings.is_empty(), "{:?}", manifests.findings);
    assert_eq!(write::text(&manifests.objects), CONFIG);
    assert_eq!(manifests.objects[0].identity.to_string(), "ConfigMap/shop/a");
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    let expected = write::text(&with(CONFIG, &Rules::default()).objects);
    let windows = format!("\u{feff}{}", CONFIG.replace('\n', "\r\n"));
    let manifests = with(&windows, &Rules::default());
    assert!(manifests.findings.is_empty(), "{:?}", manifests.findings);
    assert_eq!(write::text(&manifests.objects), expected);
    let block = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata:\n  k: |\n    x\n    y\n";
    let text = |source: &str| write::text(&with(source, &Rules::default()).objects);
    assert_eq!(text(&block.replace('\n', "\r\n")), text(block));
}

#[test]
fn each_rule_can_fail() {
    let object = |more: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: shop\n{more}");
    for (text, expected) in [
        ("- a\n".to_owned(), "not-an-object m.yaml:1:1"),
        ("just words\n".to_owned(), "not-an-object m.yaml:1:1"),
        (CONFIG.replace("apiVersion: v1\n", ""), "no-api-version m.yaml:1:1"),
        (CONFIG.replace("apiVersion: v1", "apiVersion: 1"), "no-api-version m.yaml:1:13"),
        (CONFIG.replace("apiVersion: v1", "apiVersion: a/b/c"), "invalid-api-version m.yaml:1:13"),
        (CONFIG.replace("kind: ConfigMap\n", ""), "no-kind m.yaml:1:1"),
        (CONFIG.replace("  name: a\n", ""), "no-name m.yaml:4:3"),
        (CONFIG.replace("name: a\n", "name: 5\n"), "no-name m.yaml:4:9"),
        (CONFIG.replace("name: a\n", "generateName: a\n"), "generate-name m.yaml:4:3"),
        (CONFIG.replace("name: a\n", "name: ../a\n"), "invalid-name m.yaml:4:9"),
        (CONFIG.replace("name: a\n", "name: A\n"), "invalid-name m.yaml:4:9"),
        (CONFIG.replace("namespace: shop", "namespace: .."), "invalid-namespace m.yaml:5:14"),
        (CONFIG.replace("  namespace: shop\n", ""), "no-namespace m.yaml:4:9"),
        (format!("{CONFIG}---\n{CONFIG}"), "duplicate-object m.yaml:12:9"),
        (object("  labels: {x: true}\n"), "not-a-text m.yaml:6:15"),
        (object("data: {port: 8080}\n"), "not-a-text m.yaml:6:14"),
        (object("data: [a]\n"), "not-a-text m.yaml:6:7"),
        (object("binaryData: text\n"), "not-a-text m.yaml:6:13"),
        (object("  labels: [x]\n"), "not-a-text m.yaml:6:11"),
        (object("  annotations: text\n"), "not-a-text m.yaml:6:16"),
        (format!("{0}---\n{0}", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"), "duplicate-object m.yaml:7:18"),
        (
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n"
                .to_owned(),
            "duplicate-object m.yaml:7:18",
        ),
        (object("kind: Secret\n"), "duplicate-key m.yaml:6:1"),
        (CONFIG.replace("ConfigMap", "Secret"), "plain-secret m.yaml:6:1"),
        (object("  resourceVersion: '5'\n  uid: x\nstatus: {a: b}\n"), "cluster-fields m.yaml:6:3"),
        (object("status: {a: b}\n"), "cluster-fields m.yaml:6:1"),
        (object("  annotations: {helm.sh/hook: pre-install}\n"), "helm-hook m.yaml:6:17"),
        (object(&format!("data: {{k: {}}}\n", "x".repeat(1 << 20))), "too-large m.yaml:4:9"),
        (String::new(), "empty-artifact m.yaml"),
        ("# nothing\n---\n".to_owned(), "empty-artifact m.yaml"),
        (
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Component\nmetadata: {name: x}\n".to_owned(),
            "kustomization-file m.yaml:1:13",
        ),
    ] {
        assert_eq!(found(&text).first().map(String::as_str), Some(expected), "{text}");
    }
    for fine in ["status: {}\n", "status:\n", "  creationTimestamp: null\n"] {
        assert!(found(&object(fine)).is_empty(), "{fine}");
    }
    let template = with("a: {{ .Values.x }}\n", &Rules::default()).findings;
    let hint = "this looks like a Helm template; render the chart: --chart DIR";
    assert!(template.iter().any(|f| f.code == "yaml-key" && f.hint.as_deref() == Some(hint)), "{template:?}");
}

#[test]
fn roles_and_encrypted_secrets_are_fine() {
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:x'}\n";
    assert!(found(role).is_empty());
    let secret = CONFIG.replace("ConfigMap", "Secret");
    let encrypted = secret.replace("k: v", "k: ENC[AES256_GCM,data:x]");
    assert!(found(&format!("{encrypted}sops: {{version: 3.9.0}}\n")).is_empty());
    for plain in [
        format!("{secret}sops: {{version: 3.9.0}}\n"),
        format!("{encrypted}sops: {{}}\n"),
        format!("{encrypted}sops: null\n"),
        secret.replace("data:\n  k: v", "stringData: password"),
    ] {
        assert!(found(&plain).iter().any(|line| line.starts_with("plain-secret")), "{plain}");
    }
    assert!(with(&secret, &Rules { allow_secrets: true, ..Rules::default() }).findings.is_empty());
    assert!(found(&secret.replace("data:\n  k: v\n", "")).is_empty(), "an empty one carries nothing");
}

/// A report is read by more people than a Secret: neither its lines nor its values are in one.
#[test]
fn what_is_said_of_a_secret_has_nothing_of_it() {
    for text in [
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: s}\nstringData: {password: 12345678}\n",
        "{apiVersion: v1, kind: Secret, metadata: {name: A}, stringData: {password: '12345678'}}\n",
        "apiVersion: v1\nkind: Secret\nstringData: {password: 12345678}\nmetadata: {\n",
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: 5}, data: {p: 12345678}}\n",
    ] {
        let findings = with(text, &Rules::default()).findings;
        assert!(!findings.is_empty(), "{text}");
        for finding in findings {
            assert!(text.split_at_checked(finding.span.0).is_none(), "its line would be shown: {finding:?}");
            assert!(!format!("{} {:?}", finding.message, finding.hint).contains("12345678"), "{finding:?}");
        }
    }
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: s}\ndata: {port: 12345678}\n";
    let findings = with(config, &Rules::default()).findings;
    assert_eq!(findings[0].hint.as_deref(), Some("quote it: \"12345678\""));
}

/// `targetNamespace` moves everything: two objects become one, and a namespace that is not allowed is reached.
#[test]
fn the_kustomizations_namespace_is_where_things_go() {
    let two = format!("{CONFIG}---\n{}", CONFIG.replace("shop", "other"));
    let allowed = ["shop".to_owned()];
    let codes = |text: &str, rules: Rules<'_>| with(text, &rules).findings.iter().map(|f| f.code).collect::<Vec<_>>();
    assert_eq!(codes(&two, Rules::default()), [""; 0]);
    let [x, shop] = ["x", "shop"].map(|name| [Some(name.to_owned())]);
    assert_eq!(codes(&two, Rules { namespaces_set_by_flux: &x, ..Rules::default() }), ["duplicate-object"]);
    let rules = Rules { namespaces_set_by_flux: &x, namespaces: &allowed, ..Rules::default() };
    assert_eq!(codes(CONFIG, rules), ["namespace-not-allowed"]);
    // The workload is in two lists: what holds for one is wrong for the other.
    let both = [Some("shop".to_owned()), None];
    let rules = Rules { namespaces_set_by_flux: &both, namespaces: &allowed, ..Rules::default() };
    assert_eq!(codes(&CONFIG.replace("shop", "other"), rules), ["namespace-not-allowed"]);
    let unnamed = CONFIG.replace("  namespace: shop\n", "");
    assert_eq!(codes(&unnamed, Rules { namespaces_set_by_flux: &shop, namespaces: &allowed, ..Rules::default() }), [""; 0]);
}

/// A shell script in a `ConfigMap` is enough to stop every deploy of the workload.
#[test]
fn variables_are_what_the_post_build_makes_of_them() {
    let codes = |text: &str, names: &[&str], elsewhere: bool, release: &str| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let release = Release::parse(release).unwrap();
        let all = [Substitution { names, elsewhere, release }];
        with(text, &Rules { substitutions: &all, ..Rules::default() }).findings
    };
    let config = |value: &str| CONFIG.replace("k: v", &format!("k: '{value}'"));
    let found = codes(&config("${a} ${b:=x} ${c} $${d}"), &["a"], false, "2.10");
    assert_eq!((found.len(), found[0].code, found[0].place.to_string().as_str()), (1, "undefined-variable", "m.yaml:7:6"));
    assert!(
        found[0].message.starts_with("ConfigMap/shop/a: ${c} is not in postBuild.substitute, and fails the build with Flux 2.10")
    );
    assert_eq!(codes(&config("${c}"), &["a"], false, "2.8")[0].severity, Severity::Warning);
    assert!(codes(&config("${c}"), &["a"], true, "2.10").is_empty(), "a ConfigMap may define it");
    for release in ["2.8", "2.10"] {
        let found = codes(&config("echo ${a-b.c!}"), &["a"], true, release);
        assert_eq!((found.len(), found[0].code, found[0].severity), (1, "broken-variable", Severity::Error));
        assert!(found[0].message.contains("${a-b.c!}"), "{}", found[0].message);
    }
    assert_eq!(codes(&CONFIG.replace("k: v", "'${c}': v"), &["a"], false, "2.10").len(), 1, "keys are replaced, too");
    let disabled =
        config("${a-b.c!} ${c}").replace("  name:", "  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\n  name:");
    assert!(codes(&disabled, &["a"], false, "2.10").is_empty());
    // Names are whole only when they have been replaced.
    let named = CONFIG.replace("name: a", "name: web-${a}").replace("shop", "${a}");
    assert!(codes(&named, &["a"], false, "2.10").is_empty() && with(&named, &Rules::default()).findings.len() == 2);
    // Without a postBuild a script stays as it is.
    assert!(with(&config("${a-b.c!}"), &Rules::default()).findings.is_empty());
    let secret =
        CONFIG.replace("ConfigMap", "Secret").replace("data:\n  k: v", "stringData: {k: 'a${hunter2}b', l: 'x${hunter2!}'}");
    for finding in codes(&secret, &["a"], false, "2.10") {
        assert!(!format!("{finding:?}").contains("hunter2"), "{finding:?}");
    }
}

#[test]
fn namespaces_are_filled_as_helm_and_kustomize_do() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n\
                apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n---\napiVersion: example.com/v1\nkind: Realm\nmetadata: {name: r}\n---\n\
                apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: realms.example.com}\nspec: {group: example.com, scope: Cluster, names: {kind: Realm}}\n";
    let manifests = with(text, &Rules { namespace: Some("shop"), ..Rules::default() });
    assert!(manifests.findings.is_empty(), "{:?}", manifests.findings);
    let names: Vec<String> = manifests.objects.iter().map(|object| object.identity.to_string()).collect();
    assert_eq!(
        names,
        [
            "Service/shop/s",
            "Namespace/shop",
            "Widget.example.com/shop/w",
            "Realm.example.com/r",
            "CustomResourceDefinition/realms.example.com"
        ]
    );
    assert_eq!(manifests.objects[2].value()["metadata"]["namespace"], "shop");
}

#[test]
fn only_allowed_namespaces() {
    let allowed = ["shop".to_owned()];
    let codes = |text: &str| {
        let rules = Rules { namespaces: &allowed, ..Rules::default() };
        with(text, &rules).findings.iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert!(codes(CONFIG).is_empty());
    assert_eq!(codes(&CONFIG.replace("namespace: shop", "namespace: kube-system")), ["namespace-not-allowed"]);
    assert_eq!(codes("apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n"), ["namespace-not-allowed"]);
}

#[test]
fn lists_are_their_items() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n";
    assert_eq!(found(list), ["duplicate-object m.yaml:5:54"]);
}

#[test]
fn hostile_texts_end_early() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..10 {
        bomb.push_str(&format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(",")));
    }
    assert!(found(&bomb)[0].starts_with("yaml-budget"));
    assert!(with("metadata:\n\tname: a\n", &Rules::default()).findings[0].message.contains("tab"));
    assert!(found(&"[".repeat(100_000)).iter().any(|line| line.starts_with("yaml-")));
}

#[test]
fn what_others_published_is_read_as_flux_reads_it() {
    let mut tree = Tree::new();
    tree.insert("a.yaml", CONFIG.into()).unwrap();
    tree.insert("deep/b.yml", b"kind: Nameless\n".to_vec()).unwrap();
    tree.insert("readme.md", b"\xff".to_vec()).unwrap();
    let (objects, plain) = held(&tree, "oci://x").unwrap();
    assert_eq!((objects.len(), plain), (1, true));
    tree.insert("kustomization.yaml", b"resources: []\n".to_vec()).unwrap();
    assert!(!held(&tree, "oci://x").unwrap().1);
    tree.insert("c.yaml", b"a: 1\na: 2\n".to_vec()).unwrap();
    let finding = held(&tree, "oci://x").unwrap_err();
    assert_eq!((finding.severity, finding.place.to_string().as_str()), (Severity::Error, "oci://x/c.yaml:2:1"));
}
