//! Registries that let a wait wait: it ends at its deadline all the same, and a watch goes on meanwhile.

use super::commands::{CASE, prepared};
use super::{Deed, LOGIN, Reply, Scene, each, is_clean};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

const STATUS: [&str; 7] = ["status", "--runtime", "gke", "-e", "production", "-n", "drifted-by-kubectl"];

fn storm() -> Deed {
    Deed::Answer(Reply::error(429, "TOOMANYREQUESTS", "slow down").with("Retry-After", "3600"))
}

fn scene(lie: fn() -> Deed) -> (Scene, super::super::fake::Fake) {
    let mut scene = Scene::published(move |_, _| lie());
    scene.env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: svc\n- runway_service_id: other\n");
    let address = scene.registry.address();
    let fake = prepared(&mut scene.env, &address);
    (scene, fake)
}

#[test]
fn one_deadline_whatever_a_registry_says() {
    assert!(CASE.ends_with("drifted-by-kubectl"));
    each(
        [("storm", storm as fn() -> Deed), ("silence", || Deed::Silence), ("endless head", || Deed::EndlessHead)],
        |(name, lie)| {
            let (scene, _fake) = scene(lie);
            let run = scene.env.run([&STATUS[..], &["--wait", "--wait-timeout", "3s", "--grace", "20s"]].concat());
            is_clean(&run);
            assert_eq!(run.code, Some(4), "{name}: {run}");
            assert!(
                run.took >= Duration::from_millis(2900) && run.took < Duration::from_secs(8),
                "{name}: {:?}\n{run}",
                run.took
            );
            // It says what it knows, which is what the cluster says.
            for row in ["svc ", "other "] {
                assert!(run.stdout.contains(row), "{name}: {row}\n{run}");
            }
            assert!(run.stderr.contains("is not Ready after 3s"), "{name}: {run}");
            assert!(scene.registry.has_seen(LOGIN), "{name}");
        },
    );
}

#[test]
fn a_wait_ends_in_time_when_the_cluster_is_silent() {
    let mut scene = Scene::published(|_, reply| Deed::Answer(reply));
    let file = scene.env.write("kubeconfig", super::super::fake::kubeconfig(&[("cluster", &super::super::fake::hanging())]));
    scene.env.var("KUBECONFIG", file);
    let run = scene.env.run([&STATUS[..], &["--wait", "--wait-timeout", "3s"]].concat());
    assert!(matches!(run.code, Some(2..=4)), "{run}");
    assert!(run.took < Duration::from_secs(8), "{:?}\n{run}", run.took);
}

#[test]
fn a_watch_goes_on_while_a_registry_is_silent() {
    let (scene, _fake) = scene(|| Deed::Silence);
    let mut command = scene.env.command();
    command.args([&STATUS[..], &["--watch"]].concat()).stdout(Stdio::piped()).stderr(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn().expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || lines.map_while(Result::ok).all(|line| sender.send(line).is_ok()));
    let mut seen = String::new();
    while !(seen.contains("svc ") && seen.contains("other ")) && begun.elapsed() < Duration::from_secs(12) {
        seen.extend(receiver.recv_timeout(Duration::from_secs(1)).map(|line| line + "\n"));
    }
    drop(child.kill());
    drop(child.wait());
    assert!(seen.contains("svc ") && seen.contains("other "), "after {:?}:\n{seen}", begun.elapsed());
}
