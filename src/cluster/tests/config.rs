//! Which file, which context, which flags: without any network.

use super::{CANARY, Folder, all_text, budget, connect, flags, kubeconfig, nowhere, run};
use crate::cluster::choose::choose;
use crate::cluster::files::{load, load_contexts};
use crate::cluster::prepare::{Prepared, prepare};
use crate::cluster::{self, Contexts, KubeFlags, Secret, Surroundings, configured};
use kube::config::AuthInfo;
use runway_core::problem::{Class, Problem};
use secrecy::ExposeSecret as _;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Who asks for names alone hears of them what everybody hears.
fn contexts(flags: &KubeFlags, around: &Surroundings<'_>) -> Result<Contexts, Problem> {
    let all = configured(flags, around)?.contexts();
    if let Ok(all) = &all {
        assert_eq!(&cluster::contexts(flags, around).unwrap(), all);
    }
    all
}

#[test]
fn names_are_read_without_what_else_there_is() {
    let folder = Folder::new();
    let merged = |text: &str| {
        let flags = KubeFlags { kubeconfig: Some(folder.write("config", text)), ..KubeFlags::default() };
        contexts(&flags, &nowhere()).unwrap();
        load_contexts(&flags, &nowhere()).unwrap()
    };
    let arn = "arn:aws:eks:eu-west-1:123456789012:cluster/of-ordinary-length";
    let contexts = format!(
        "contexts:\n- context: {{cluster: c, user: u}}\n  name: {arn}\n# one more\n- {{name: größe, context: {{cluster: c}}}}\n"
    );
    let rest = "clusters:\n- name: c\n  cluster: {server: 'https://x'}\nusers:\n- name: u\n  user:\n    token: 'contexts:'\n";
    for text in [
        format!("apiVersion: v1\nkind: Config\n{rest}{contexts}current-context: {arn}\n"),
        format!("{contexts}preferences: {{}}\n{rest}\r\ncurrent-context: {arn}\n"),
    ] {
        let merged = merged(&text);
        assert_eq!(merged.contexts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), [arn, "größe"]);
        assert_eq!((merged.current.as_deref(), merged.clusters.len(), merged.users.len()), (Some(arn), 0, 0));
    }
    // What is written otherwise is read in full.
    let odd = format!("users: &none []\n{contexts}clusters: *none\n");
    let aliased = format!("{rest}x: &c\n  cluster: c\ncontexts:\n- name: a\n  context: *c\n");
    let on_one_line = "{contexts: [{name: a, context: {cluster: c}}], users: [{name: u}]}";
    for text in [odd, aliased, format!("---\n{contexts}{rest}"), on_one_line.to_owned()] {
        drop(merged(&text));
    }
    assert_eq!(merged(on_one_line).users.len(), 1);
}

fn prepared(flags: &KubeFlags, variables: &[(&str, &str)]) -> Result<Prepared, Problem> {
    let map: BTreeMap<String, String> = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let lookup = |name: &str| map.get(name).cloned();
    let around = Surroundings { variables: &lookup, home: None };
    let target = choose(&load(flags, &around)?, flags, None)?;
    prepare(&target, &around)
}

fn refused(flags: &KubeFlags) -> Problem {
    match prepared(flags, &[]) {
        Ok(_) => panic!("should be refused"),
        Err(problem) => {
            all_text(&problem);
            problem
        }
    }
}

fn token(user: &AuthInfo) -> Option<&str> {
    user.token.as_ref().map(secrecy::ExposeSecret::expose_secret)
}

fn with_user(folder: &Folder, user: &str) -> KubeFlags {
    flags(folder.write("config", kubeconfig("https://example.org:6443", user)))
}

#[test]
fn files_of_a_list_are_merged_and_the_first_wins() {
    let folder = Folder::new();
    let first =
        folder.write("a", kubeconfig("https://first", "{token: first}").replace("current-context: one", "current-context: ''"));
    let second = kubeconfig("https://second", "{token: second}").replace("current-context: one", "current-context: two")
        + "- {name: v, user: {tokenFile: sub/token}}\n";
    let second = second
        .replace("contexts: [", "contexts: [{name: two, context: {cluster: c, user: v}}, ")
        .replace("users: [{name: u, user: {token: second}}]\n", "users:\n- {name: u, user: {token: second}}\n");
    let second = folder.write("deep/b", second);
    folder.write("deep/sub/token", "  from-file\n");
    let missing = folder.path().join("missing");
    let list =
        std::env::join_paths(["".as_ref(), missing.as_path(), "".as_ref(), &first, &second]).unwrap().into_string().unwrap();
    let lookup = |name: &str| (name == "KUBECONFIG").then(|| list.clone());
    let around = Surroundings { variables: &lookup, home: Some(PathBuf::from("/nonexistent")) };
    let flags = KubeFlags::default();
    assert_eq!(
        contexts(&flags, &around).unwrap(),
        Contexts { current: Some("two".into()), all: vec!["one".into(), "two".into()] }
    );
    let merged = load(&flags, &around).unwrap();
    let two = choose(&merged, &flags, None).unwrap();
    assert_eq!((two.name.as_str(), two.cluster.server.as_deref()), ("two", Some("https://first")));
    assert_eq!(token(&prepare(&two, &around).unwrap().config.auth_info), Some("from-file"));
    let one = choose(&merged, &flags, Some("one")).unwrap();
    assert_eq!(token(&one.user), Some("first"));
}

#[test]
fn the_home_folder_is_read_when_nothing_else_is_named() {
    let folder = Folder::new();
    folder.write(".kube/config", kubeconfig("https://home", "{}"));
    let around = Surroundings { variables: &|_| None, home: Some(folder.path().to_owned()) };
    assert_eq!(contexts(&KubeFlags::default(), &around).unwrap().all, ["one"]);
    let empty = Folder::new();
    let file = empty.write("empty", "").display().to_string();
    let lookup = |name: &str| (name == "KUBECONFIG").then(|| file.clone());
    let around = Surroundings { variables: &lookup, home: Some(folder.path().to_owned()) };
    let problem = contexts(&KubeFlags::default(), &around).unwrap_err();
    assert!(all_text(&problem).contains("empty (KUBECONFIG)"), "{problem:?}");
}

#[test]
fn nothing_configured_says_what_was_looked_for() {
    let lookup = |name: &str| (name == "KUBERNETES_SERVICE_HOST").then(|| "10.0.0.1".to_owned());
    let around = Surroundings { variables: &lookup, home: Some(PathBuf::from("/nonexistent")) };
    let problem = run(connect(&KubeFlags::default(), None, &around, budget())).unwrap_err();
    assert_eq!(problem.class, Class::Cluster);
    let text = all_text(&problem);
    assert!(text.contains("/nonexistent/.kube/config (the default; not there)") && text.contains("service account"), "{text}");
    let named = refused(&flags("/nonexistent/config".into()));
    assert_eq!(named.class, Class::Usage);
    assert!(named.to_string().contains("/nonexistent/config"));
}

#[test]
fn an_unknown_context_is_answered_with_the_nearest_and_the_list() {
    let folder = Folder::new();
    let given = KubeFlags { context: Some("onne".into()), ..with_user(&folder, "{}") };
    let problem = refused(&given);
    assert_eq!(problem.class, Class::Usage);
    assert_eq!(problem.hints, ["did you mean \"one\"?", "contexts: one"]);
    let given = KubeFlags { user: Some("uu".into()), ..with_user(&folder, "{}") };
    assert!(refused(&given).to_string().contains("no user entry named \"uu\""));
    let given = KubeFlags { cluster: Some("x".into()), ..with_user(&folder, "{}") };
    assert!(refused(&given).to_string().contains("no cluster entry named \"x\""));
    let none = kubeconfig("https://x", "{}").replace("current-context: one\n", "");
    let problem = refused(&flags(folder.write("none", none)));
    assert!(problem.to_string().contains("no context is chosen") && problem.hints.contains(&"give --context".to_owned()));
    let gone = kubeconfig("https://x", "{}").replace("current-context: one\n", "current-context: two\n");
    assert!(refused(&flags(folder.write("gone", gone))).to_string().contains("current-context is \"two\""));
    let nobody = kubeconfig("https://x", "{}").replace("user: u}", "user: somebody}");
    assert!(refused(&flags(folder.write("nobody", nobody))).to_string().contains("names the user \"somebody\""));
}

#[test]
fn a_broken_file_is_told_with_its_place_and_without_its_text() {
    let folder = Folder::new();
    for (name, text) in [
        ("syntax", format!("kind: Config\nusers:\n- name: u\n  user: {{token: {CANARY}\nx: [")),
        ("form", format!("kind: Config\nusers: [{{name: u, user: {{exec: {CANARY}}}}}]\n")),
        ("list", format!("- {CANARY}\n")),
    ] {
        let problem = refused(&flags(folder.write(name, text)));
        assert_eq!(problem.class, Class::Input, "{problem:?}");
        let place = problem.place.clone().unwrap();
        assert!(place.file.ends_with(name) && place.line.is_some(), "{place:?}");
    }
    let twice = kubeconfig("https://x", "{}").replace("users: [", "users: [{name: u}, ");
    assert!(refused(&flags(folder.write("twice", twice))).to_string().contains("two user entries named \"u\""));
    let other = "kind: Deployment\napiVersion: v1\n";
    assert!(refused(&flags(folder.write("other", other))).to_string().contains("kind is not Config"));
    let big = " ".repeat(4 * 1024 * 1024 + 1);
    assert!(refused(&flags(folder.write("big", big))).to_string().contains("larger than 4 MiB"));
    assert!(refused(&flags(folder.path().to_owned())).to_string().contains("cannot read the kubeconfig"));
}

#[test]
fn a_file_in_utf16_is_read() {
    let folder = Folder::new();
    let text = kubeconfig("https://wide", "{}");
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(contexts(&flags(folder.write("wide", bytes)), &nowhere()).unwrap().all, ["one"]);
}

#[test]
fn flags_lie_over_the_file() {
    let folder = Folder::new();
    let ca = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap();
    let ca = folder.write("ca.pem", ca.cert.pem());
    let mut given = with_user(&folder, "{username: a, password: b, as: x, as-groups: [g]}");
    given.server = Some("https://other:1".into());
    given.token = Some(Secret::from("typed".to_owned()));
    given.as_user = Some("me".into());
    given.as_groups = vec!["one".into(), "two".into()];
    given.as_uid = Some("7".into());
    given.certificate_authority = Some(ca);
    given.tls_server_name = Some("inside".into());
    let config = prepared(&given, &[]).unwrap().config;
    assert_eq!(config.cluster_url.to_string(), "https://other:1/");
    assert_eq!(config.tls_server_name.as_deref(), Some("inside"));
    assert_eq!(config.root_cert.map(|list| list.len()), Some(1));
    assert!(!config.default_retry && config.read_timeout.is_some() && config.reset_reader_on_write);
    let user = config.auth_info;
    assert_eq!((token(&user), user.username.as_deref()), (Some("typed"), None));
    assert_eq!(user.impersonate.as_deref(), Some("me"));
    assert_eq!(user.impersonate_uid.as_deref(), Some("7"));
    assert_eq!(user.impersonate_groups.unwrap(), ["one", "two"]);
}

#[test]
fn trust_in_flags_replaces_trust_in_the_file() {
    let folder = Folder::new();
    let text = kubeconfig("https://x", "{}")
        .replace("server: ", "certificate-authority-data: bm9uc2Vuc2U=, tls-server-name: old, server: ");
    let file = folder.write("config", text);
    assert!(refused(&flags(file.clone())).to_string().contains("holds no certificate"));
    let skip = KubeFlags { insecure_skip_tls_verify: true, ..flags(file.clone()) };
    let config = prepared(&skip, &[]).unwrap().config;
    assert!(config.accept_invalid_certs && config.root_cert.is_none());
    assert_eq!(config.tls_server_name.as_deref(), Some("old"));
    let other = KubeFlags { server: Some("https://y".into()), ..skip };
    assert_eq!(prepared(&other, &[]).unwrap().config.tls_server_name, None);
    let both =
        kubeconfig("https://x", "{}").replace("server: ", "certificate-authority: a, insecure-skip-tls-verify: true, server: ");
    assert!(refused(&flags(folder.write("both", both))).to_string().contains("asks not to check"));
}

#[test]
fn a_server_alone_is_enough() {
    let given = KubeFlags { server: Some("localhost:8080".into()), ..KubeFlags::default() };
    let cluster = run(connect(&given, None, &nowhere(), budget())).unwrap();
    assert_eq!((cluster.name(), cluster.server()), ("localhost:8080", "http://localhost:8080"));
    assert_eq!(contexts(&given, &nowhere()).unwrap(), Contexts::default());
    let given = KubeFlags { insecure_skip_tls_verify: true, ..given };
    assert_eq!(run(connect(&given, None, &nowhere(), budget())).unwrap().server(), "https://localhost:8080");
    for wrong in ["ftp://x", "https://", "https://me:canary-5e7d0c2b9a4f41d8@host", "ht tp://x"] {
        let given = KubeFlags { server: Some(wrong.into()), ..KubeFlags::default() };
        all_text(&run(connect(&given, None, &nowhere(), budget())).unwrap_err());
    }
}

#[test]
fn credentials_do_not_go_over_plain_http() {
    let folder = Folder::new();
    let exec = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x}}";
    let secrets = [format!("{{token: {CANARY}}}"), format!("{{username: a, password: {CANARY}}}"), exec.to_owned()];
    for user in &secrets {
        let there = flags(folder.write("there", kubeconfig("http://example.org", user)));
        assert!(refused(&there).to_string().contains("over plain http to example.org"), "{user}");
        for here in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
            assert!(prepared(&flags(folder.write("here", kubeconfig(here, user))), &[]).is_ok(), "{here}");
        }
    }
    assert!(prepared(&flags(folder.write("nobody", kubeconfig("http://example.org", "{}"))), &[]).is_ok());
}

#[test]
fn users_that_cannot_be_meant_are_refused() {
    let folder = Folder::new();
    let says = |user: &str| refused(&with_user(&folder, user)).to_string();
    assert!(says("{auth-provider: {name: gcp}}").contains("auth-provider \"gcp\""));
    assert!(says(&format!("{{token: {CANARY}, username: a}}")).contains("a password and a token"));
    assert!(says(&format!("{{token: \"{CANARY}\\nx\"}}")).contains("the token cannot be sent"));
    assert!(says("{as-groups: [g]}").contains("without that user"));
    assert!(says("{as: \"a\\nb\"}").contains("cannot be sent"));
    assert!(says("{tokenFile: /nonexistent/token}").contains("/nonexistent/token"));
    assert!(says("{client-certificate: /nonexistent/cert, client-key-data: eA==}").contains("/nonexistent/cert"));
    assert!(says("{client-key-data: eA==}").contains("without its certificate"));
    assert!(says("{client-certificate-data: eA==}").contains("without its key"));
    assert!(says("{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}").contains("v1alpha1"));
    assert!(
        says("{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always}}").contains("Always")
    );
    assert!(says("{exec: {apiVersion: client.authentication.k8s.io/v1}}").contains("no command"));
}

#[test]
fn a_token_file_wins_over_the_token_beside_it_when_it_can_be_read() {
    let folder = Folder::new();
    folder.write("token", "fresh\n");
    let user = |text: &str| prepared(&with_user(&folder, text), &[]).unwrap().config.auth_info;
    assert_eq!(token(&user("{token: old, tokenFile: token}")), Some("fresh"));
    assert_eq!(token(&user("{token: old, tokenFile: gone}")), Some("old"));
    assert_eq!(token(&user("{token: '', tokenFile: token}")), Some("fresh"));
}

#[test]
fn certificates_are_read_from_files_beside_the_kubeconfig() {
    let folder = Folder::new();
    folder.write("c.pem", "cert");
    folder.write("k.pem", "key");
    let user = prepared(&with_user(&folder, "{client-certificate: c.pem, client-key: k.pem}"), &[]).unwrap().config.auth_info;
    assert_eq!(user.client_certificate_data.as_deref(), Some("Y2VydA=="));
    assert_eq!(user.client_key_data.unwrap().expose_secret(), "a2V5");
}

#[test]
fn a_plugin_beside_the_kubeconfig_is_meant_only_by_a_path() {
    let folder = Folder::new();
    for (command, expected) in
        [("bin/plugin", folder.path().join("bin/plugin")), ("plugin", "plugin".into()), ("/x/y", "/x/y".into())]
    {
        let given = with_user(&folder, &format!("{{exec: {{command: {command}}}}}"));
        let merged = load(&given, &nowhere()).unwrap();
        assert_eq!(merged.users[0].1.exec.as_ref().unwrap().command.as_deref(), expected.to_str());
    }
}

#[test]
fn ssl_cert_file_counts_when_the_cluster_has_no_authority() {
    let folder = Folder::new();
    let pem = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap().cert.pem();
    let path = folder.write("roots.pem", pem.repeat(2)).display().to_string();
    let given = with_user(&folder, "{}");
    assert_eq!(prepared(&given, &[("SSL_CERT_FILE", &path)]).unwrap().config.root_cert.unwrap().len(), 2);
    assert!(prepared(&given, &[]).unwrap().config.root_cert.is_none());
    assert!(prepared(&given, &[("SSL_CERT_FILE", "/nonexistent/roots")]).is_err());
    let own = kubeconfig("https://x", "{}").replace("server: ", "certificate-authority: own.pem, server: ");
    folder.write("own.pem", &pem);
    let own = flags(folder.write("own", own));
    assert_eq!(prepared(&own, &[("SSL_CERT_FILE", &path)]).unwrap().config.root_cert.unwrap().len(), 1);
}

#[test]
fn proxies_follow_go() {
    let folder = Folder::new();
    let given = with_user(&folder, "{}");
    let proxy = |variables: &[(&str, &str)]| {
        prepared(&given, variables).map(|prepared| prepared.config.proxy_url.map(|url| url.to_string()))
    };
    let https = ("HTTPS_PROXY", "http://me:pa%40ss@proxy:3128");
    let through = Some("http://me:pa%40ss@proxy:3128/".to_owned());
    assert_eq!(proxy(&[]).unwrap(), None);
    assert_eq!(proxy(&[https]).unwrap(), through);
    assert_eq!(proxy(&[("https_proxy", "proxy:1")]).unwrap().as_deref(), Some("http://proxy:1/"));
    assert_eq!(proxy(&[("HTTP_PROXY", "http://proxy"), ("ALL_PROXY", "http://all")]).unwrap(), None);
    assert_eq!(proxy(&[("HTTPS_PROXY", "socks5h://proxy:9")]).unwrap().as_deref(), Some("socks5://proxy:9/"));
    for except in ["example.org", ".org", "a, example.org ,", "*", "example.org:6443", "EXAMPLE.ORG"] {
        assert_eq!(proxy(&[https, ("NO_PROXY", except)]).unwrap(), None, "{except}");
    }
    for other in ["", "proxy", "notexample.org", "example.org:443", "a,b,"] {
        assert_eq!(proxy(&[https, ("NO_PROXY", other)]).unwrap(), through, "{other}");
    }
    let wrong = proxy(&[("HTTPS_PROXY", "ftp://a:canary-5e7d0c2b9a4f41d8@x")]).unwrap_err();
    assert!(all_text(&wrong).contains("HTTPS_PROXY names no usable proxy"));

    let address = flags(folder.write("address", kubeconfig("https://10.1.2.3:6443", "{}")));
    assert!(prepared(&address, &[https, ("NO_PROXY", "10.0.0.0/8")]).unwrap().config.proxy_url.is_none());
    let local = flags(folder.write("local", kubeconfig("https://127.0.0.1:6443", "{}")));
    assert!(prepared(&local, &[https]).unwrap().config.proxy_url.is_none());
    let own = kubeconfig("https://x", "{}").replace("server: ", "proxy-url: 'http://own:1', server: ");
    let own = prepared(&flags(folder.write("own", own)), &[https, ("NO_PROXY", "*")]).unwrap();
    assert_eq!(own.config.proxy_url.unwrap().to_string(), "http://own:1/");
}

#[test]
fn nothing_shows_a_secret() {
    let folder = Folder::new();
    let given = KubeFlags { token: Some(CANARY.parse().unwrap()), ..with_user(&folder, &format!("{{token: {CANARY}}}")) };
    let cluster = run(connect(&given, None, &nowhere(), budget())).unwrap();
    let shown = format!("{given:?} {cluster:?}");
    assert!(!shown.contains(CANARY) && shown.contains("[redacted]"), "{shown}");
}
