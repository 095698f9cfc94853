//! Colour, width and locale, on a terminal and off it.

use super::{env, fake};
use runway_testkit::env::Env;
use runway_testkit::terminal::{Terminal, plain};
use std::time::Duration;

fn status() -> Vec<String> {
    let folder = fake::folder("with-parent/parent-suspended");
    ["status", "--snapshot", &folder, "--runtime", "gke", "-e", "production"].map(str::to_owned).to_vec()
}

/// What a terminal of so many columns gets.
fn on_terminal(env: &Env, words: &[String], columns: u16) -> String {
    let mut command = env.command();
    command.args(words);
    Terminal::start(&command, (24, columns), Duration::from_secs(20)).end().1
}

const COLOR: &str = "\u{1b}[3";

/// Variables, flags, and whether there is colour off a terminal and on one.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str], bool, bool);

const CASES: [Case; 11] = [
    (&[], &[], false, true),
    (&[("NO_COLOR", "1")], &[], false, false),
    (&[("NO_COLOR", "")], &[], false, true),
    (&[("TERM", "dumb")], &[], false, false),
    (&[("CLICOLOR_FORCE", "1")], &[], true, true),
    (&[("CLICOLOR_FORCE", "0")], &[], false, true),
    (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[], false, false),
    (&[], &["--color", "always"], true, true),
    (&[], &["--color=never"], false, false),
    (&[("NO_COLOR", "1")], &["--color", "always"], true, true),
    (&[("CLICOLOR_FORCE", "1")], &["--color", "never"], false, false),
];

#[test]
fn colour_is_as_asked() {
    for (variables, flags, off, on) in CASES {
        let mut env = env();
        env.var("TERM", "xterm");
        for (name, value) in variables {
            env.var(name, value);
        }
        let flags = flags.iter().map(|flag| (*flag).to_owned());
        // A table, a problem, help, and help of a command.
        let lines = [status(), vec!["status".to_owned(), "--snapshot=nothing".to_owned()]];
        for words in lines {
            let words: Vec<String> = words.into_iter().chain(flags.clone()).collect();
            let run = env.run(&words);
            let text = run.stdout.clone() + &run.stderr;
            assert_eq!(text.contains(COLOR), off, "{variables:?} {words:?}: {run}");
            assert_eq!(on_terminal(&env, &words, 120).contains(COLOR), on, "{variables:?} {words:?} on a terminal");
        }
        let words: Vec<String> = flags.clone().chain(["inventory", "push", "--help"].map(str::to_owned)).collect();
        let bold = "\u{1b}[1m";
        assert_eq!(env.run(&words).ok().contains(bold), off, "{variables:?} {words:?}");
        assert_eq!(on_terminal(&env, &words, 120).contains(bold), on, "{variables:?} {words:?} on a terminal");
    }
}

#[test]
fn a_table_fits_the_terminal_and_is_whole_elsewhere() {
    let env = env();
    for columns in [60, 80, 400] {
        let drawn = plain(&on_terminal(&env, &status(), columns));
        let table: Vec<&str> = drawn.lines().filter(|line| !line.contains("workloads:")).collect();
        assert!(
            table.len() > 3 && table.iter().all(|line| line.trim_end().chars().count() <= usize::from(columns)),
            "{columns}: {drawn}"
        );
        assert_eq!(drawn.contains('…'), columns < 400, "{columns}: {drawn}");
    }
    // Where there is room for a name and a verdict only, the name is cut.
    let drawn = plain(&on_terminal(&env, &status(), 20));
    let table: Vec<&str> = drawn.lines().filter(|line| !line.contains("workloads:")).map(str::trim_end).collect();
    assert!(table[0].contains("VERDICT") && table.iter().any(|line| line.starts_with("gke-…   Suspended ")), "{drawn}");
    assert!(table.iter().all(|line| line.chars().count() <= 20), "{drawn}");
    let run = env.run(status()).exits(1);
    assert!(!run.stdout.contains('…') && run.stdout.lines().any(|line| line.len() > 100), "{run}");
}

/// Ctrl-C while a cluster is asked: the exit code of the signal, and a terminal as it was.
#[test]
fn ctrl_c_ends_whatever_asks_a_cluster() {
    let mut env = env();
    let file = env.write("kubeconfig", fake::kubeconfig(&[("slow", &fake::hanging())]));
    env.var("KUBECONFIG", file);
    for words in [
        &["status"][..],
        &["status", "svc", "--wait"],
        &["status", "-w"],
        &["explain", "svc"],
        &["tree", "svc"],
        &["reconcile", "svc"],
        &["snapshot", "save", "saved"],
    ] {
        let mut command = env.command();
        command.args(words);
        let mut terminal = Terminal::start(&command, (24, 80), Duration::from_secs(15));
        // It has to ask before it can be interrupted in that.
        std::thread::sleep(Duration::from_millis(1500));
        let begun = std::time::Instant::now();
        terminal.types("\u{3}");
        let (code, drawn) = terminal.end();
        assert_eq!(code, Some(130), "{words:?}: {drawn:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{words:?}");
        for left in ["\u{1b}[?", "\u{1b}[2J", "\u{1b}[H", "panicked"] {
            assert!(!drawn.contains(left), "{words:?}: {drawn:?}");
        }
    }
    assert!(!env.work().join("saved").exists(), "half a snapshot is none");
}

/// Where there is no room for a message beside a row, it stands below it.
#[test]
fn forty_columns_still_say_why() {
    let drawn = plain(&on_terminal(&env(), &status(), 40));
    assert!(drawn.lines().all(|line| line.trim_end().chars().count() <= 40 || line.contains("workloads:")), "{drawn}");
    assert!(drawn.lines().any(|line| line.starts_with("  ") && line.contains("suspended")), "{drawn}");
    let wide = plain(&on_terminal(&env(), &status(), 200));
    assert!(!wide.lines().any(|line| line.starts_with("  ")), "{wide}");
}

#[test]
fn what_cannot_be_shown_is_drawn_in_ascii() {
    let one = |format: &str| {
        let mut words = status();
        words.extend(["svc", "-o", format].map(str::to_owned));
        words
    };
    let mut env = env();
    assert!(env.run(one("table")).stdout.contains('✔') && env.run(one("tree")).stdout.contains("├─ OCIRepository"));
    for locale in [("LC_ALL", "C"), ("LC_ALL", "POSIX"), ("LC_ALL", "de_DE.ISO-8859-1")] {
        env.var(locale.0, locale.1);
        for words in [one("table"), one("tree"), vec!["help".to_owned(), "settings".to_owned()]] {
            let run = env.run(&words);
            assert!(run.stdout.is_ascii() && run.stderr.is_ascii(), "{locale:?}: {run}");
        }
        assert!(env.run(one("table")).stdout.contains("  + declared") || env.run(one("table")).stdout.contains("  + published"));
        assert!(
            env.run(one("tree")).stdout.contains("|- OCIRepository svc")
                && env.run(one("tree")).stdout.contains("`- Kustomization svc")
        );
        let wrong = env.run(["inventory", "push", "--to", "oci://x@y", "-e", "production", "--runtime", "gke"]).exits(2);
        assert!(wrong.stderr.is_ascii(), "{wrong}");
        let drawn = on_terminal(&env, &status(), 60);
        assert!(drawn.is_ascii() && drawn.contains("..."), "{drawn}");
        // A document is what it is, whoever reads it.
        assert!(env.run(one("markdown")).stdout.contains('✅'));
    }
    // A name from outside stays as it is.
    env.var("LC_ALL", "C");
    env.write("ä.yaml", "a: [");
    let run = env.run(["deploy", "verify", "svc", "-f", "ä.yaml"]).exits(1);
    assert!(run.stdout.contains("ä.yaml"), "{run}");
    // Whoever sets no locale says nothing about it.
    env.unset("LC_ALL");
    assert!(env.run(one("table")).stdout.contains('✔'));
}
