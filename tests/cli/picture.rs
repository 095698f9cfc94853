//! The terminal's picture in the README: what the program prints of a recorded cluster, drawn.

use super::kept::same;
use jiff::{Timestamp, ToSpan as _};
use std::fmt::Write as _;
use std::path::Path;

const CASE: &str = "tests/recorded/with-parent/drifted-by-kubectl";

/// The folder of the case, with every moment three hours ago: ages are those of today.
fn saved(env: &runway_testkit::env::Env) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(CASE);
    let moment = Timestamp::now().checked_sub(3.hours().minutes(10)).unwrap().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let text = std::fs::read_to_string(root.join("cluster.json")).unwrap();
    let is_moment = |word: &str| word.len() == moment.len() && word.ends_with('Z') && word.parse::<Timestamp>().is_ok();
    let words: Vec<&str> = text.split('"').map(|word| if is_moment(word) { moment.as_str() } else { word }).collect();
    assert!(words.contains(&moment.as_str()), "nothing has a time");
    env.write("saved/cluster.json", words.join("\""));
    env.write("saved/registry.json", std::fs::read_to_string(root.join("registry.json")).unwrap());
    let published = std::fs::read_to_string(root.join("published/production/inventory.yaml")).unwrap();
    env.write("saved/published/production/inventory.yaml", published);
}

#[test]
fn the_picture_is_what_is_printed() {
    let env = super::env();
    saved(&env);
    let flags = ["--runtime", "gke", "-e", "production", "--snapshot", "saved", "--color", "always"];
    let mut screen = String::new();
    for (shown, command, code) in
        [("kubectl runway status", &["status"][..], 1), ("kubectl runway explain svc", &["explain", "svc"], 1)]
    {
        let run = env.run([command, &flags[..]].concat()).exits(code);
        writeln!(screen, "\u{1b}[1m$ {shown}\u{1b}[0m\n{}", run.stdout).unwrap();
    }
    let picture = anstyle_svg::Term::new().render_svg(screen.trim_end());
    assert!(picture.contains("Drifted") && picture.contains("installed"), "{picture}");
    same("docs/status.svg", &(picture + "\n"));
}
