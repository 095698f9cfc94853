//! Clusters that give no answer, each for a reason of its own and by a real cause, and writes that an API server refuses.

use crate::clusters::{rows, said};
use crate::parents::settled;
use crate::stage::ENVIRONMENT;
use runway_testkit::bed::{DEADLINE, Options, merge_kubeconfig};
use serde_json::{Value, json};
use std::net::TcpListener;

/// Every context of a kubeconfig but one leads nowhere. Each says why, and the one that works is judged as ever.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn contexts_that_lead_nowhere_say_why() {
    let stage = settled("nowhere");
    let cluster = |server: &str| json!({"server": server, "insecure-skip-tls-verify": true});
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let mut real = cluster(&stage.ns.kube().server());
    real["proxy-url"] = format!("http://{}", stage.bed.registry()).into();
    let token = json!({"token": "nobody-knows-it"});
    let plugin = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login-program",
        "interactiveMode": "Never"}});
    // What follows a server's name, who asks it, and the words that tell of the cause.
    let cases = [
        ("DNS", Some(cluster("https://nobody.invalid:6443")), token.clone(), "nobody.invalid"),
        ("TLS", Some(json!({"server": stage.ns.kube().server()})), token.clone(), "certificate"),
        ("ConnectionRefused", Some(cluster(&format!("https://{closed}"))), token.clone(), "refused the connection"),
        // An address that the kernel lets no connection out to.
        ("Unreachable", Some(cluster("https://224.0.0.1:6443")), token.clone(), "cannot be reached"),
        // Something answers there, and it is no proxy.
        ("Proxy", Some(real), token.clone(), "through the proxy"),
        ("ExecPlugin", Some(cluster(&stage.ns.kube().server())), plugin, "no-such-login-program"),
        ("Unauthorized", Some(cluster(&stage.ns.kube().server())), token.clone(), "401"),
        ("Kubeconfig", None, token, "Kubeconfig"),
    ];
    let mut config: Value = serde_json::from_str(&merge_kubeconfig(&[("good", stage.ns.kube(), "admin")])).expect("JSON");
    for (reason, cluster, user, _) in &cases {
        let mut add = |list: &str, entry: Value| config[list].as_array_mut().expect("a list").push(entry);
        if let Some(cluster) = cluster {
            add("clusters", json!({"name": reason, "cluster": cluster}));
        }
        add("users", json!({"name": reason, "user": user}));
        add("contexts", json!({"name": reason, "context": {"cluster": reason, "user": reason}}));
    }
    let file = stage.env.write("many", config.to_string()).display().to_string();
    let run = stage.status(&["--kubeconfig", &file, "--all-contexts", "--request-timeout", "5s", "-o", "json"]).exits(3);
    let found = rows(&run.stdout);
    let row = |cluster: &str| &found[&(cluster.to_owned(), "svc".to_owned())];
    assert_eq!(said(row("good")).0, "Ready", "{run}");
    for (reason, _, _, words) in &cases {
        assert_eq!(said(row(reason)), ("Unreachable", "", *reason), "{}", row(reason));
        assert!(row(reason)["message"].as_str().expect("text").contains(words), "{words}: {}", row(reason));
        // Alone it is no answer at all, or, by the kubeconfig's fault, no question.
        drop(stage.status(&["--kubeconfig", &file, "--context", reason, "--request-timeout", "5s"]).exits(2));
    }
}

/// The API server has no room for a user's questions, by its own flow control: nothing is known, and it is said why.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn an_api_server_that_has_too_much_to_do_is_unknown() {
    let stage = settled("busy");
    let bob = stage.ns.kube().as_user("bob").kubeconfig().display().to_string();
    let wait = |what: &str, reason: &str| {
        stage.ns.wait_for(what, DEADLINE, || {
            let run = stage.status(&["--kubeconfig", &bob, "-o", "json"]);
            rows(&run.stdout).values().all(|row| said(row).2 == reason).then_some(run)
        })
    };
    let busy = NoRoomFor::new(&stage, "bob");
    let run = wait("no room for bob", "TooManyRequests").exits(1);
    for row in rows(&run.stdout).values() {
        assert_eq!(said(row), ("Unknown", "", "TooManyRequests"), "{row}");
        assert!(row["message"].as_str().expect("text").contains("429"), "{row}");
    }
    drop(busy);
    // He is let in again, and may not read: that is another reason.
    drop(wait("room for bob", "Forbidden").exits(1));
}

/// An API server that has no place for a user's questions, as long as this lives.
struct NoRoomFor<'a> {
    stage: &'a crate::stage::Stage,
    name: String,
}

const ADMISSION: &str = "admissionregistration.k8s.io/v1";
const FLOW: &str = "flowcontrol.apiserver.k8s.io/v1";

impl<'a> NoRoomFor<'a> {
    fn new(stage: &'a crate::stage::Stage, user: &str) -> Self {
        let name = format!("{}-{user}", stage.ns.name());
        let everything =
            json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": true});
        stage.ns.kube().apply(
            &json!({"apiVersion": "v1", "kind": "List", "items": [
                {"apiVersion": FLOW, "kind": "PriorityLevelConfiguration", "metadata": {"name": name}, "spec": {"type": "Limited",
                    "limited": {"nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0,
                        "limitResponse": {"type": "Reject"}}}},
                {"apiVersion": FLOW, "kind": "FlowSchema", "metadata": {"name": name}, "spec": {"matchingPrecedence": 2,
                    "priorityLevelConfiguration": {"name": name},
                    "rules": [{"subjects": [{"kind": "User", "user": {"name": user}}], "resourceRules": [everything],
                        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}]}},
            ]})
            .to_string(),
        );
        Self { stage, name }
    }
}

impl Drop for NoRoomFor<'_> {
    fn drop(&mut self) {
        for kind in ["flowschemas", "prioritylevelconfigurations"] {
            drop(self.stage.ns.kube().kubectl(["delete", &format!("{kind}.flowcontrol.apiserver.k8s.io"), &self.name]));
        }
    }
}

/// Writes that the API server refuses: a policy of the cluster (Refused), and fields that somebody else owns (Conflict).
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn writes_that_are_refused_are_said_and_change_nothing() {
    let stage = settled("refused-writes");
    let (kube, namespace) = (stage.ns.kube(), stage.ns.name());
    let policy = format!("{namespace}-frozen");
    kube.apply(
        &json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": ADMISSION, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": policy}, "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [{"apiGroups": ["source.toolkit.fluxcd.io"], "apiVersions": ["*"],
                    "operations": ["UPDATE"], "resources": ["ocirepositories"]}]},
                "validations": [{"expression": "false", "message": "nobody deploys on a Friday", "reason": "Invalid"}]}},
            {"apiVersion": ADMISSION, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": policy}, "spec": {
                "policyName": policy, "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}}},
        ]})
        .to_string(),
    );
    let mut before = Value::Null;
    let run = stage.ns.wait_for("the policy to count", DEADLINE, || {
        before = stage.ns.get_json("ocirepository", "svc").expect("it is there")["metadata"]["annotations"].clone();
        let run = stage.env.run(["reconcile", "svc", "--wait-timeout", "20s"]);
        (run.code != Some(0)).then_some(run)
    });
    let run = run.exits(2);
    // The code `Refused`, in words.
    for words in ["refused (422)", "nobody deploys on a Friday"] {
        assert!(run.stderr.contains(words), "{words}: {run}");
    }
    let annotations = |kind: &str| stage.ns.get_json(kind, "svc").expect("it is there")["metadata"]["annotations"].clone();
    assert_eq!(annotations("ocirepository"), before, "it was changed all the same");
    for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
        drop(kube.kubectl(["delete", kind, &policy]).exits(0));
    }
    stage.ns.wait_for("the policy to be gone", DEADLINE, || {
        (stage.env.run(["reconcile", "svc", "--wait-timeout", "1m"]).code == Some(0)).then_some(())
    });

    // The parent was applied by kubectl, with other intervals than ours.
    let bootstrap =
        |more: &[&str]| stage.env.run([&["bootstrap", "--runtime", "gke", "-e", ENVIRONMENT, "--apply"], more].concat());
    let interval = || stage.ns.get_json("ocirepository", "gke-inventory").expect("it is there")["spec"]["interval"].clone();
    let run = bootstrap(&[]).exits(2);
    assert!(run.stderr.contains("onflict") && run.stderr.contains("only force takes them over"), "Conflict: {run}");
    assert_eq!(interval(), "1h", "it was changed all the same");
    drop(bootstrap(&["--force-conflicts"]).exits(0));
    assert_eq!(interval(), "5m0s");
}

/// Of two clusters one has no parent: what it should run cannot be seen (`NoParent`), and the other one is judged all the same.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_cluster_without_a_parent_is_said_and_no_fault_of_the_others() {
    let stage = settled("no-parent");
    let bare = stage.bed.cluster_with("bare", Options { flux: false, ..Options::default() });
    let both = merge_kubeconfig(&[("good", stage.ns.kube(), "admin"), ("bare", &bare, "admin")]);
    let file = stage.env.write("two", both).display().to_string();
    let words = "there is no parent <runtime>-inventory in the namespace";
    let ask = |more: &[&str]| stage.env.run([&["status", "--kubeconfig", &file, "--all-contexts", "-o", "json"], more].concat());
    for more in [&[][..], &["svc"], &["--wait", "--wait-timeout", "3s"]] {
        let run = ask(more);
        println!("{more:?} {run}");
        let found = rows(&run.stdout);
        assert_eq!(said(&found[&("good".to_owned(), "svc".to_owned())]).0, "Ready", "{run}");
        let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let clusters = document["summary"]["clusters"].as_array().expect("clusters");
        let bare = clusters.iter().find(|cluster| cluster["name"] == "bare").expect("it was asked");
        assert_eq!(bare["reachable"], true, "{run}");
        assert!(bare["error"].as_str().expect("an error").contains(words), "{run}");
    }
    // A wait is for all of them.
    let run = ask(&["--wait", "--wait-timeout", "3s"]);
    assert!(run.stderr.contains("bare is not Ready after 3s") && run.stderr.contains(words), "{run}");
}
