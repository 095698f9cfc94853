//! TAB in the real bash, zsh and fish, on a terminal: what is completed is what the program then gets.

use super::{env, platform};
use runway_testkit::env::Env;
use runway_testkit::terminal::Terminal;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: web}\ndata: {a: b}\n";

/// A shell that is ready, with our completion loaded.
struct Shell {
    terminal: Terminal,
    _env: Env,
}

/// The shell's program, if it is installed; that it is not is said loudly, and fails in CI.
fn installed(name: &str) -> Option<String> {
    let found = ["/usr/bin", "/bin", "/usr/local/bin", "/opt/homebrew/bin"].map(|folder| format!("{folder}/{name}"));
    let found = found.into_iter().find(|file| Path::new(file).exists());
    if found.is_none() {
        println!("SKIPPED: TAB in {name} was not tried: it is not installed (apt-get install {name})");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{name} must not be missing where CI=true");
    }
    found
}

impl Shell {
    fn start(name: &str, arguments: &[&str], setup: &str) -> Option<Self> {
        let program = installed(name)?;
        let mut env = platform("- runway_service_id: example-service-gke\n- runway_service_id: other-gke\n");
        env.write("config/runtimes/eks/workloads.yml", "- runway_service_id: example-service-eks\n");
        env.write("my-manifests/all.yaml", MANIFEST);
        let contexts = [("group/agents:production", "http://127.0.0.1:1"), ("group/agents:staging", "http://127.0.0.1:1")];
        let kubeconfig = env.write("kubeconfig", super::fake::kubeconfig(&contexts));
        env.var("KUBECONFIG", kubeconfig).var("TERM", "xterm").var("RUNWAY_REGISTRY_BASE", "127.0.0.1:1/x");
        let bin = env.root().join("bin");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-runway"), bin.join("kubectl-runway")).unwrap();
        env.path_add("/usr/bin").path_add("/bin");
        let ours = env.command();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(env.work());
        command.env_clear().envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut shell = Self { terminal: Terminal::start(&command, (40, 160), Duration::from_secs(30)), _env: env };
        shell.terminal.types(&format!("{setup}\necho rea''dy2\n"));
        shell.terminal.until(0, "the shell's start", |text| text.contains("ready2"));
        Some(shell)
    }

    /// Types a line, with TABs, and waits for what it prints. The line's end says that it has ended.
    #[track_caller]
    fn line(&mut self, line: &str, wanted: &[&str]) {
        let from = self.terminal.drawn().len();
        for (n, part) in line.split('\t').enumerate() {
            if n > 0 {
                self.terminal.types("\t");
                // The shell asks us; what is typed meanwhile would be taken for the word.
                std::thread::sleep(Duration::from_millis(700));
            }
            self.terminal.types(part);
        }
        self.terminal.types("\n");
        let text = self.terminal.until(from, line, |text| wanted.iter().all(|words| text.contains(words)));
        drop(text);
    }

    fn all(&mut self) {
        // A command, a flag, a setting's value, and the same behind an equals sign.
        self.line("kubectl-runway conf\tvi\t--show-o\t", &["ORIGIN"]);
        self.line("kubectl-runway config view --show-origin --runtime ek\t", &["eks", "flag --runtime"]);
        self.line("kubectl-runway config view --show-origin --environment=stag\t", &["staging", "flag --environment"]);
        // A workload of workloads.yml, a folder, a file.
        self.line(
            "kubectl-runway deploy verify example-service-g\t-f my-man\tall.y\t",
            &["verified 1 object of example-service-gke"],
        );
        self.line("kubectl-runway deploy verify other-gke --path my-man\t", &["verified 1 object of other-gke"]);
        // A context with a colon and a slash, alone and behind a prefix of ours.
        self.line("kubectl-runway status --timeout 1s --context group/agents:p\t", &["group/agents:production gave no answer"]);
        self.line(
            "kubectl-runway inventory diff --runtime gke -e production --timeout 1s local cluster:group/agents:s\t",
            &["the cluster group/agents:staging cannot be compared"],
        );
        // A topic, and one of its codes.
        self.line("kubectl-runway help find\tdepends-on-c\t", &["depends-on-cycle: "]);
    }
}

#[test]
fn bash() {
    let setup = "PS1='$ '; source <(kubectl-runway completion bash)";
    let Some(mut shell) = Shell::start("bash", &["--norc", "--noprofile", "-i"], setup) else { return };
    shell.all();
    let from = shell.terminal.drawn().len();
    shell.terminal.types("kubectl-runway inventory \t\t");
    shell.terminal.until(from, "the list", |text| ["build", "diff", "push", "verify"].iter().all(|word| text.contains(word)));
}

#[test]
fn zsh() {
    let setup = "PS1='$ '; autoload -Uz compinit && compinit -u -D; source <(kubectl-runway completion zsh)";
    let Some(mut shell) = Shell::start("zsh", &["-f", "-i"], setup) else { return };
    shell.all();
    let from = shell.terminal.drawn().len();
    shell.terminal.types("kubectl-runway inventory \t");
    shell.terminal.until(from, "the list", |text| text.contains("push") && text.contains("Publish the inventory"));
}

#[test]
fn fish() {
    let setup = "function fish_prompt; echo '$ '; end; kubectl-runway completion fish | source";
    let Some(mut shell) = Shell::start("fish", &["--no-config", "-i"], setup) else { return };
    shell.all();
    let from = shell.terminal.drawn().len();
    shell.terminal.types("kubectl-runway inventory \t");
    shell.terminal.until(from, "the list", |text| text.contains("push") && text.contains("Publish the inventory"));
}

/// The scripts of the repository are what the program prints.
#[test]
fn the_files_are_what_the_program_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    let scripts = [
        ("bash", "kubectl-runway.bash"),
        ("zsh", "_kubectl-runway"),
        ("fish", "kubectl-runway.fish"),
        ("powershell", "kubectl-runway.ps1"),
    ];
    for (shell, file) in scripts {
        assert_eq!(env().run(["completion", shell]).ok(), std::fs::read_to_string(folder.join(file)).unwrap(), "{file}");
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), scripts.len() + 1, "a file that nothing tests, beside kubectl's");
}
