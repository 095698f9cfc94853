//! What `next` says, pasted into a shell as a person would: with our program, kubectl and flux on PATH.

use crate::stage::Stage;
use runway_testkit::env::Run;
use serde_json::Value;
use std::path::Path;

/// The commands that a row names.
pub(crate) fn next(row: &Value) -> Vec<&str> {
    row["break"]["next"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

impl Stage {
    /// Runs a line in a shell, in the scenario's folder and on its cluster. kubectl finds us as its plugin.
    #[track_caller]
    pub(crate) fn paste(&self, command: &str) -> Run {
        let own = Path::new(env!("CARGO_BIN_EXE_kubectl-runway")).parent().expect("a folder");
        let path = std::env::join_paths([self.bed.bin(), own, Path::new("/usr/bin"), Path::new("/bin")]).expect("no colon");
        let line = format!("cd '{}' && {command}", self.env.work().display());
        let run = self.ns.kube().peer("sh", &[("PATH", path.to_str().expect("UTF-8"))], ["-c", &line]);
        println!("$ {command}\n{run}");
        run
    }

    /// Runs all that `next` names. Each has to work: an `explain` and a `tree` of what is not Ready exit with 1, all else with 0,
    /// unless the answer is that a thing is not there. Gives what they said, together.
    #[track_caller]
    pub(crate) fn paste_next(&self, row: &Value) -> String {
        let commands = next(row);
        assert!(!commands.is_empty(), "nothing to do next: {row}");
        let mut all = String::new();
        for command in commands {
            let run = self.paste(command);
            let answers = ["kubectl runway explain ", "kubectl runway tree "].iter().any(|start| command.starts_with(start));
            let absent = ["NAME_UNKNOWN", "(NotFound)"].iter().any(|words| run.stderr.contains(words));
            assert_eq!(run.code, Some(i32::from(answers || absent)), "{command}\n{run}");
            all.push_str(&run.to_string());
        }
        all
    }
}
