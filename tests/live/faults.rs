//! Faults between the registry and the objects, caused on the real controllers: the inventory, the parent, the sources' logins.

use crate::background::Background;
use crate::clusters::{make_ready, ready, rows, said};
use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::bed::{DEADLINE, Handle};
use rustix::process::Signal;
use serde_json::{Value, json};

/// Declares these, each with an interval so long that Flux does not look again by itself.
fn left_alone(stage: &Stage, ids: &[&str]) {
    let one =
        |id: &&str| format!("- runway_service_id: {id}\n  flux: {{interval: 1h, retryInterval: 1h, source: {{interval: 1h}}}}\n");
    stage.env.write("config/runtimes/gke/workloads.yml", ids.iter().map(one).collect::<String>());
}

fn links<'a>(row: &'a Value, state: &str) -> Vec<&'a str> {
    let all = row["links"].as_array().expect("links").iter().filter(|link| link["state"] == state);
    all.map(|link| link["link"].as_str().expect("text")).collect()
}

/// One object that the API refuses holds the whole inventory back: kustomize-controller applies all or nothing.
/// The recorded case with-parent/parent-invalid-object.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn an_inventory_with_one_invalid_object_holds_everything_back() {
    let stage = ready("invalid-object");
    stage.declare(&["svc", "added"]);
    stage.deploy("added", "1");
    // Ours refuses it, so somebody else's tool pushes it.
    stage.env.run(["inventory", "build", "--runtime", "gke", "-e", ENVIRONMENT, "--output-dir", "out"]).ok();
    let text = stage.env.read("out/production/inventory.yaml");
    let (before, after) = text.rsplit_once("interval: ").expect("an interval");
    let (_, rest) = after.split_once('\n').expect("a line");
    stage.env.write("out/production/inventory.yaml", format!("{before}interval: soon\n{rest}"));
    stage.bed.push_folder(&stage.inventory_repository(), ENVIRONMENT, &stage.env.work().join("out"));

    let parent = stage.parent_name();
    let row = stage.wait_verdict(&parent, "Failed");
    assert_eq!((said(&row).0, said(&row).1), ("Failed", "applied"), "{row}");
    assert!(row["message"].as_str().expect("text").contains("soon"), "the API's own words: {row}");
    let (found, code) = stage.rows();
    let added = ["added", "svc"].into_iter().find(|id| said(&found[*id]).0 == "Missing").expect("the new one");
    assert_eq!((said(&found[added]).1, code), ("parent", Some(1)), "{}", found[added]);
    assert!(found[added]["message"].as_str().expect("text").contains("soon"), "the parent's reason: {}", found[added]);
    assert_eq!(said(&found["svc"]).0, "Ready", "what runs is what is published: {}", found["svc"]);
    // A wait does not wait for what cannot come.
    let run = stage.status(&["added", "--wait", "--grace", "3s", "-o", "json"]).exits(1);
    assert!(run.stderr.contains("added") && run.stderr.contains("soon"), "{run}");

    stage.push(&["--force"]).ok();
    stage.wait_verdict("added", "Ready");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_parent_on_an_old_revision_is_where_it_breaks() {
    let stage = Stage::new("old-parent", "gke");
    left_alone(&stage, &["svc"]);
    stage.deploy("svc", "1");
    stage.push(&[]).ok();
    // The parent looks again in an hour.
    stage.ns.apply(&stage.parent_yaml().replace("interval: 10s", "interval: 1h"));
    stage.wait_verdict("svc", "Ready");
    stage.wait_verdict(&stage.parent_name(), "Ready");

    stage.env.write(
        "config/runtimes/gke/workloads.yml",
        "- runway_service_id: svc\n  flux: {interval: 2h, retryInterval: 1h, source: {interval: 1h}}\n- runway_service_id: added\n",
    );
    stage.deploy("added", "1");
    stage.push(&[]).ok();
    let (found, code) = stage.rows();
    assert_eq!(code, Some(1));
    assert_eq!((said(&found["added"]).0, said(&found["added"]).1), ("Missing", "parent"), "{}", found["added"]);
    // Its objects are those of the older inventory, and nobody has edited them.
    assert_eq!((said(&found["svc"]).0, said(&found["svc"]).1), ("Outdated", "parent"), "{}", found["svc"]);
    let parent = &found[&stage.parent_name()];
    assert_eq!((said(parent).0, said(parent).1), ("Outdated", "fetched"), "{parent}");
    // What `next` says mends it.
    let next = found["added"]["break"]["next"].as_array().expect("commands").clone();
    assert!(
        next.iter().any(|it| it.as_str().is_some_and(|it| it.contains("reconcile") && it.contains("gke-inventory"))),
        "{next:?}"
    );
    drop(stage.env.run(["reconcile", "gke-inventory"]).exits(0));
    stage.wait_verdict("added", "Ready");
    stage.wait_verdict("svc", "Ready");
}

/// The recorded case with-parent/registry-away.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_registry_that_is_away_is_unknown_until_flux_looks() {
    let bed = Handle::connect();
    let mut registry = bed.own_registry("away");
    let base = format!("{}/away", registry.address());
    let settings = "source: {secretRef: \"\", insecure: true, interval: 10s}\nparent: {secretRef: \"\"}\n";
    let stage = Stage::at(bed, "away", "gke", base, settings);
    left_alone(&stage, &["svc"]);
    stage.deploy("svc", "1");
    stage.push(&[]).ok();
    stage.ns.apply(&stage.parent_yaml().replace("interval: 10s", "interval: 1h"));
    stage.wait_verdict("svc", "Ready");
    stage.wait_verdict(&stage.parent_name(), "Ready");
    stage.deploy("svc", "2");
    let (found, _) = stage.rows();
    assert_eq!(said(&found["svc"]), ("Outdated", "fetched", "NewRevision"), "{}", found["svc"]);

    // The source is Ready on the old digest, and nobody can be asked any more.
    registry.stop();
    let run = stage.status(&["-o", "json"]).exits(0);
    let found = rows(&run.stdout).into_iter().find(|((_, name), _)| name == "svc").expect("a row").1;
    assert_eq!(said(&found).0, "Ready", "an unknown link never breaks: {run}");
    assert_eq!(links(&found, "unknown"), ["published", "parent", "deployed"], "{found}");
    assert!(run.stderr.contains("could not be read") || run.stderr.contains("could not be asked"), "it is said: {run}");
    // A wait never ends on what is not known.
    drop(stage.status(&["svc", "--wait", "--wait-timeout", "4s"]).exits(4));

    // Then Flux looks, and finds nobody either.
    stage.ns.reconcile("ocirepository", "svc");
    let row = stage.wait_verdict("svc", "Failed");
    assert_eq!((said(&row).0, said(&row).1), ("Failed", "fetched"), "{row}");
    registry.start_again();
    stage.ns.wait_for("svc to be Ready with the new digest", DEADLINE, || {
        drop(stage.env.run(["reconcile", "svc", "--wait-timeout", "20s"]));
        (stage.status(&["svc"]).code == Some(0)).then_some(())
    });
}

/// Flux takes back what managers whose name begins with `kubectl` have added, and leaves what others have.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn what_kubectl_adds_goes_and_what_others_add_stays_drift() {
    let stage = ready("managers");
    let add = |manager: &str, merge: &str| {
        let manager = format!("--field-manager={manager}");
        stage
            .ns
            .kube()
            .kubectl(["patch", "kustomization", "svc", "-n", stage.ns.name(), &manager, "--type=merge", "-p", merge])
            .ok();
    };
    add("kubectl-and-more", r#"{"spec":{"timeout":"7m0s"}}"#);
    add("ops-tool", r#"{"spec":{"retryInterval":"3m0s"}}"#);
    // The parent runs every ten seconds: what it takes back is gone, what it leaves stays.
    stage.ns.wait_for("Flux to take its own back", DEADLINE, || {
        let object = stage.ns.get_json("kustomization", "svc").expect("the object");
        object["spec"]["timeout"].is_null().then_some(())
    });
    let row = stage.ns.wait_for("a quiet moment", DEADLINE, || {
        let (found, _) = stage.rows();
        (said(&found["svc"]).0 == "Drifted").then(|| found["svc"].clone())
    });
    assert_eq!(said(&row), ("Drifted", "installed", "FieldsDiffer"), "{row}");
    let message = row["message"].as_str().expect("a message");
    assert!(message.contains("spec.retryInterval") && message.contains("by ops-tool"), "{message}");
    assert!(!message.contains("timeout"), "{message}");
    // Still so after another run of the parent.
    drop(stage.env.run(["reconcile", "gke-inventory"]).exits(0));
    assert_eq!(said(&stage.rows().0["svc"]).0, "Drifted");
    add("ops-tool", r#"{"spec":{"retryInterval":null}}"#);
    stage.wait_verdict("svc", "Ready");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_clock_that_is_ten_minutes_off_changes_no_verdict() {
    let places = ["x86_64", "aarch64"].map(|machine| format!("/usr/lib/{machine}-linux-gnu/faketime/libfaketime.so.1"));
    let library = places.iter().find(|path| std::path::Path::new(path).exists());
    let library = library.expect("libfaketime is not there: apt-get install libfaketime");
    let mut stage = Stage::new("clock", "gke");
    left_alone(&stage, &["svc"]);
    stage.arrive("svc");
    // Somebody with a right clock asks Flux to look, and it does.
    drop(stage.env.run(["reconcile", "svc"]).exits(0));
    let now = || jiff::Timestamp::now().as_second();
    for (n, (offset, seconds)) in [("-10m", -600), ("+10m", 600)].into_iter().enumerate() {
        stage.env.var("LD_PRELOAD", library).var("FAKETIME", offset).var("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let base = ["status", "--runtime", "gke", "-e", ENVIRONMENT];
        let (run, before, after) = stage.ns.wait_for("status to exit with 0", DEADLINE, || {
            let before = now();
            let run = stage.env.run([&base[..], &["svc", "-o", "json"]].concat());
            (run.code == Some(0)).then(|| (run, before, now()))
        });
        let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let time: jiff::Timestamp = document["time"].as_str().expect("text").parse().expect("a time");
        let off = before + seconds..=after + seconds;
        assert!(off.contains(&time.as_second()), "its clock is {offset} off: {time} is not in {off:?}");
        assert_eq!(said(rows(&run.stdout).values().next().expect("a row")).0, "Ready", "{run}");
        let table = stage.all_ready(&base);
        assert_eq!(ages(&table.stdout), [offset == "+10m"; 2], "{offset}: {table}");
        drop(stage.all_ready(&[&base[..], &["svc", "--objects"]].concat()));

        // A request of this clock is not taken for handled because an older one bears a later time.
        let digest = stage.deploy("svc", &format!("{offset}-{n}"));
        let run = stage.env.run(["reconcile", "svc", "-o", "json"]).exits(0);
        let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert!(document["items"][0]["revision"].as_str().unwrap().ends_with(&digest), "{offset}: {run}");
        let newer = stage.deploy("svc", &format!("{offset}-{n}-again"));
        let run = stage.status(&["svc", "--wait", "--trigger", "--wait-timeout", "1m", "-o", "json"]).exits(0);
        let row = rows(&run.stdout).into_values().next().expect("a row");
        assert_eq!(row["kustomization"]["appliedDigest"], newer.as_str(), "{offset}: {run}");
        stage.env.unset("LD_PRELOAD").unset("FAKETIME");
    }
}

/// Whether each row's age has the ten minutes that the clock is ahead; one that is behind sees nothing younger than now.
fn ages(table: &str) -> Vec<bool> {
    let mut lines = table.lines();
    let at = lines.next().and_then(|head| head.find("AGE")).expect("the head of the ages");
    let age = |line: &str| line.get(at..).and_then(|rest| rest.split_whitespace().next()).expect("an age").to_owned();
    let minutes = |age: String| {
        let Some(minutes) = age.strip_suffix('m') else {
            assert_eq!(age, "0s", "of the future: {table}");
            return false;
        };
        (10..15).contains(&minutes.parse::<u32>().expect(&age))
    };
    lines.map(age).map(minutes).collect()
}

/// Nobody looks by himself for an hour: the newer push is found, and Flux is asked again.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_trigger_is_repeated_after_a_newer_push() {
    let stage = Stage::new("retrigger", "gke");
    left_alone(&stage, &["svc"]);
    stage.arrive("svc");
    stage.bed.push_deploy(&stage.deploy_repository("svc"), ENVIRONMENT, &[("broken.yaml", "kind: [\n")]);
    let wait = ["svc", "--wait", "--trigger", "--grace", "3m", "--wait-timeout", "3m", "-o", "json"];
    let mut wait = Background::start(&stage.env, &stage.status_line(&wait));
    wait.until("svc Failed");
    let newer = stage.deploy("svc", "2");
    let run = wait.end().exits(0);
    let row = rows(&run.stdout).into_values().next().expect("a row");
    assert_eq!(row["kustomization"]["appliedDigest"], newer.as_str(), "{run}");
    assert!(run.stderr.contains("superseded"), "{run}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn an_interrupted_wait_says_how_far_it_had_come() {
    let stage = Stage::new("interrupted-wait", "gke");
    make_ready(&stage);
    stage.declare(&["svc", "undeployed"]);
    stage.push(&[]).ok();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let arguments = ["status", "--runtime", "gke", "-e", ENVIRONMENT, "--wait", "--grace", "10m"];
        let mut wait = Background::start(&stage.env, &arguments);
        wait.until("undeployed Failed");
        wait.signal(signal);
        let run = wait.end().exits(code);
        for words in ["ended after ", "2 workloads: 1 Failed, 1 Ready", "  undeployed: Failed at deployed"] {
            assert!(run.stderr.contains(words), "{words}: {run}");
        }
    }
}

/// All that is needed is to read two kinds in one namespace; what may not be read is named.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_role_in_one_namespace_is_enough() {
    let mut stage = ready("one-role");
    let role = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "reader"}, "rules": [
            {"apiGroups": ["source.toolkit.fluxcd.io"], "resources": ["ocirepositories"], "verbs": ["get", "list"]},
            {"apiGroups": ["kustomize.toolkit.fluxcd.io"], "resources": ["kustomizations"], "verbs": ["get", "list"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}]},
    ]});
    stage.ns.apply(&role.to_string());
    let alice = stage.ns.kube().as_user("alice").kubeconfig();
    // A file of the list that is not there is no fault, as in kubectl.
    stage.env.var("KUBECONFIG", format!("/nowhere/config:{}", alice.display()));
    let between = |arguments: &[&str]| {
        stage.ns.wait_for("Flux between two looks", DEADLINE, || {
            let run = stage.status(arguments);
            (run.code == Some(0)).then_some(run)
        })
    };
    drop(between(&[]));
    drop(between(&["svc"]));
    let run = between(&["svc", "--objects", "-o", "json"]);
    let row = rows(&run.stdout).into_values().next().expect("a row");
    assert_eq!(links(&row, "unknown"), ["healthy"], "{row}");
    assert!(row["links"][7]["evidence"].as_str().expect("text").contains("alice"), "who may not, and what: {row}");

    let run = stage.status(&["-n", "default", "-o", "json"]).exits(1);
    let found = rows(&run.stdout).into_iter().find(|((_, name), _)| name == "svc").expect("a row").1;
    assert_eq!(said(&found), ("Unknown", "", "Forbidden"), "{run}");
    for words in ["alice", "ocirepositories", "default"] {
        assert!(found["message"].as_str().expect("text").contains(words), "{words}: {found}");
    }
}
