//! What each fuzz target does with its bytes. Shared by `fuzz/` and by the test that runs the checked-in corpus.

use runway_core::artifact::{Manifest, Tree, unpack};
use runway_core::deploy::{self, Rules, Substitution, Text};
use runway_core::flux::crds::Release;
use runway_core::flux::object::wanted;
use runway_core::observed::snapshot::Snapshot;
use runway_core::settings::{Layer, resolve};
use runway_core::{inventory, objects, workloads};

/// What a target does with its bytes.
pub(crate) type Body = fn(&[u8]);

/// The targets: a name and a body that must return for any bytes.
pub(crate) const TARGETS: [(&str, Body); 7] = [
    ("workloads", read_workloads),
    ("settings", read_settings),
    ("inventory", read_inventory),
    ("layer", read_layer),
    ("manifest", read_manifest),
    ("manifests", read_manifests),
    ("snapshot", read_snapshot),
];

/// A workloads.yml, and the objects of what it lists.
pub(crate) fn read_workloads(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (list, _) = workloads::parse("f.yml", text);
    for pair in objects::build(&list, &resolve([]), "production") {
        drop(inventory::write(&[pair], "production"));
    }
}

/// A settings file.
pub(crate) fn read_settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (layer, _) = Layer::from_file("s.yaml", text);
    let settings = resolve([layer]);
    drop(settings.inventory_repository("gke"));
    drop(settings.deploy_repository("a"));
}

/// A published inventory's file.
pub(crate) fn read_inventory(bytes: &[u8]) {
    let mut tree = Tree::new();
    drop(tree.insert("production/inventory.yaml", bytes.to_vec()));
    let (read, _) = inventory::read(&tree, "production", "f");
    for spec in read.entries.iter().filter_map(|entry| entry.source.as_ref()?.field("spec")) {
        drop(wanted(&spec));
    }
}

/// A layer from a registry.
pub(crate) fn read_layer(bytes: &[u8]) {
    drop(unpack::layer(bytes, unpack::Limits { bytes: 1 << 20, entries: 100 }));
}

/// A manifest from a registry.
pub(crate) fn read_manifest(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::parse(bytes) {
        drop(manifest.content().cloned());
    }
}

/// A workload's manifests. What is accepted is published in one form: read again it is the same, and it has no new fault.
pub(crate) fn read_manifests(bytes: &[u8]) {
    let Ok(content) = std::str::from_utf8(bytes) else { return };
    let substitutions = [Substitution { names: ["a".to_owned()].into(), elsewhere: false, release: Release::newest() }];
    let namespaces = ["shop".to_owned()];
    let set = [None, Some("shop".to_owned())];
    let plain = Rules { namespace: Some("shop"), allow_secrets: true, ..Rules::default() };
    let strict =
        Rules { namespaces: &namespaces, namespaces_set_by_flux: &set, substitutions: &substitutions, ..Rules::default() };
    for rules in [plain, strict] {
        let once = deploy::read(&[Text { file: "m.yaml", content }], &rules);
        for finding in &once.findings {
            let is_secret = finding.code == "plain-secret";
            assert!(!is_secret || content.get(finding.span.0..).is_none(), "its line would be shown: {finding:?}");
        }
        let Ok(tree) = deploy::write(&once.objects) else { continue };
        if once.is_refused() {
            continue;
        }
        let text: Vec<u8> = tree.files().flat_map(|(_, content)| content.to_vec()).collect();
        let text = String::from_utf8(text).unwrap_or_default();
        let again = deploy::read(&[Text { file: "m.yaml", content: &text }], &rules);
        assert!(!again.is_refused(), "{:?}\n{text}", again.findings);
        let what = |read: &deploy::Manifests| {
            read.objects.iter().map(|object| (object.identity.clone(), object.text.clone())).collect::<Vec<_>>()
        };
        assert_eq!(what(&once), what(&again), "written and read again it is another");
    }
}

/// A list from a cluster.
pub(crate) fn read_snapshot(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(snapshot) = Snapshot::parse("c.json", text) {
        for namespace in snapshot.namespaces.clone() {
            drop(snapshot.objects(&namespace));
        }
    }
}
