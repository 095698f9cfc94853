//! TAB in the real bash, zsh and fish, on a terminal: what is completed is what the program then gets.

use super::{env, platform};
use runway_testkit::env::Env;
use runway_testkit::terminal::Terminal;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: web}\ndata: {a: b}\n";

/// A shell that is ready, with our completion loaded.
struct Shell {
    terminal: Terminal,
    env: Env,
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
        let kubeconfig = |names: &[&str]| {
            let contexts: Vec<(&str, &str)> = names.iter().map(|name| (*name, "http://127.0.0.1:1")).collect();
            super::fake::kubeconfig(&contexts)
        };
        let names = ["group/agents:production", "group/agents:staging", "with space", "admin@prod"];
        env.write("../home/kc2", kubeconfig(&["production-two"]));
        env.write("../home/platform/config/runtimes/gke/workloads.yml", "- runway_service_id: second\n");
        std::fs::create_dir(env.home().join("platform/.git")).unwrap();
        let kubeconfig = env.write("kubeconfig", kubeconfig(&names));
        env.var("KUBECONFIG", kubeconfig).var("TERM", "xterm").var("RUNWAY_REGISTRY_BASE", "127.0.0.1:1/x");
        let bin = env.root().join("bin");
        std::fs::create_dir(env.home().join("bin")).unwrap();
        for folder in [bin, env.home().join("bin")] {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-runway"), folder.join("kubectl-runway")).unwrap();
        }
        env.path_add("/usr/bin").path_add("/bin");
        let ours = env.command();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(env.work());
        command.env_clear().envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut shell = Self { terminal: Terminal::start(&command, (40, 160), Duration::from_secs(30)), env };
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

    /// Waits until the shell draws nothing any more; first until it has begun to, which an answer that is empty never does.
    fn rest(&self, from: usize) {
        let begun = Instant::now();
        while self.terminal.drawn().len() <= from && begun.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut drawn = self.terminal.drawn().len();
        loop {
            std::thread::sleep(Duration::from_millis(250));
            let now = self.terminal.drawn().len();
            if now == drawn {
                return;
            }
            drawn = now;
        }
    }

    /// Types a line, with TABs, and compares the words that the shell then makes of it.
    #[track_caller]
    fn words(&mut self, line: &str, wanted: &str) {
        for (n, part) in line.split('\t').enumerate() {
            if n > 0 {
                let from = self.terminal.drawn().len();
                self.terminal.types("\t");
                self.rest(from);
            }
            let from = self.terminal.drawn().len();
            if !part.is_empty() {
                self.terminal.types(part);
                self.rest(from);
            }
        }
        let from = self.terminal.drawn().len();
        // To the beginning of the line, and to its end.
        self.terminal.types("\u{1}words \u{5}\n");
        let text = self.terminal.until(from, line, |text| text.contains(">\r\n"));
        let made = text.lines().rev().find(|line| line.ends_with('>')).unwrap_or_default();
        let made = made.get(made.find('<').unwrap_or_default()..).unwrap_or_default();
        // zsh takes the slash behind a folder away again.
        assert!(made.ends_with(wanted) || made.replace("/>", ">").ends_with(wanted), "{line:?}: {made}");
    }

    /// What the words are, in quotes and behind `=` and `~`.
    fn all_words(&mut self) {
        let plat = self.env.home().join("platform").display().to_string();
        for (line, wanted) in [
            // What TAB wrote can be gone on with.
            ("status --verdict Failed,Mis\t", "<Failed,Missing>"),
            ("status --verdict Failed,Mis\t\u{7f},Susp\t", "<Failed,Missing,Suspended>"),
            ("status --verdict \\!Rea\t", "<!Ready>"),
            // Quotes, closed and open.
            ("status --context with\\ sp\t", "<with space>"),
            ("status --context wit\t", "<with space>"),
            ("status --context 'with s\t", "<with space>"),
            ("status --context \"group/ag\tp\t", "<group/agents:production>"),
            ("status --context=\"group/agents:p\t", "<--context=group/agents:production>"),
            ("status --runtime 'eks' exa\t", "<--runtime><eks><example-service-eks>"),
            (&format!("-C \"{plat}\" status sec\t"), "<status><second>"),
            // Letters at which bash breaks a word, and nothing behind `=`.
            ("status --context admin@p\t", "<admin@prod>"),
            ("status --context=adm\t", "<--context=admin@prod>"),
            ("status --context= oth\t", "<--context=><other-gke>"),
            ("inventory diff local cluster:group/agents:s\t", "<cluster:group/agents:staging>"),
            // The home folder.
            ("-C ~/platform status sec\t", "<status><second>"),
            ("status --kubeconfig ~/kc2 --context prod\t", "<--context><production-two>"),
            // Files and folders behind what is none of their names.
            ("inventory build -f my-man\tall\t", "<my-manifests/all.yaml>"),
            ("status --kubeconfig=kub\t", "<--kubeconfig=kubeconfig>"),
            ("inventory verify -o junit=kube\t", "<junit=kubeconfig>"),
            ("inventory diff local layout:conf\truntimes/g\t", "<layout:config/runtimes/gke>"),
            ("inventory push --to oci://\t", "<oci://>"),
            ("inventory push --to l\t", "<layout:>"),
            // Flags of one letter, with their values.
            ("status -oy\t", "<-oyaml>"),
            ("status -o=y\t", "<-o=yaml>"),
        ] {
            self.words(&format!("kubectl-runway {line}"), wanted);
        }
        self.words("~/bin/kubectl-runway status oth\t", "/bin/kubectl-runway><status><other-gke>");
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
    let setup = "PS1='$ '; source <(kubectl-runway completion bash); words() { printf '<%s>' \"$@\"; echo; }";
    let Some(mut shell) = Shell::start("bash", &["--norc", "--noprofile", "-i"], setup) else { return };
    shell.all();
    shell.all_words();
    let from = shell.terminal.drawn().len();
    shell.terminal.types("kubectl-runway inventory \t\t");
    shell.terminal.until(from, "the list", |text| ["build", "diff", "push", "verify"].iter().all(|word| text.contains(word)));
}

#[test]
fn zsh() {
    let setup = "PS1='$ '; autoload -Uz compinit && compinit -u -D; source <(kubectl-runway completion zsh); words() { printf '<%s>' \"$@\"; echo }";
    let Some(mut shell) = Shell::start("zsh", &["-f", "-i"], setup) else { return };
    shell.all();
    shell.all_words();
    let from = shell.terminal.drawn().len();
    shell.terminal.types("kubectl-runway inventory \t");
    shell.terminal.until(from, "the list", |text| text.contains("push") && text.contains("Publish the inventory"));
}

#[test]
fn fish() {
    let setup = "function fish_prompt; echo '$ '; end; kubectl-runway completion fish | source; \
                 function words; printf '<%s>' $argv; echo; end";
    let Some(mut shell) = Shell::start("fish", &["--no-config", "-i"], setup) else { return };
    shell.all();
    shell.all_words();
    let from = shell.terminal.drawn().len();
    shell.terminal.types("kubectl-runway inventory \t");
    shell.terminal.until(from, "the list", |text| text.contains("push") && text.contains("Publish the inventory"));
}

/// The scripts are sources, which the program carries: that each is one its shell reads, and asks for what is there, is all
/// that can be wrong without a key being pressed.
#[test]
fn every_script_is_one_that_its_shell_reads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    let scripts = [
        ("bash", "kubectl-runway.bash", "complete -F _kubectl_runway kubectl-runway"),
        ("zsh", "_kubectl-runway", "compdef _kubectl_runway kubectl-runway"),
        ("fish", "kubectl-runway.fish", "complete -c kubectl-runway "),
        ("powershell", "kubectl-runway.ps1", "-CommandName 'kubectl-runway'"),
        ("sh", "kubectl_complete-runway", "exec kubectl-runway "),
    ];
    let name = kubectl_runway::command_line("kubectl runway").get_name().to_owned();
    for (shell, file, names) in scripts {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(names.contains(&name) && text.contains(names), "{file} does not name the program: {names}");
        assert!(text.contains(" __complete"), "{file} asks nothing");
        if shell == "powershell" {
            assert_eq!(unbalanced(&text), None, "{file}");
        } else if let Some(program) = installed(shell) {
            let parsed = Command::new(program).arg("-n").arg(folder.join(file)).output().unwrap();
            assert!(parsed.status.success() && parsed.stderr.is_empty(), "{file}: {parsed:?}");
        }
        if shell != "sh" {
            assert_eq!(env().run(["completion", shell]).ok(), text, "{file} is not the one in the program");
        }
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), scripts.len(), "a file that nothing tests");
}

/// The first bracket of a script that has no other half, outside of texts and comments.
fn unbalanced(text: &str) -> Option<char> {
    let (mut open, mut quote) = (Vec::new(), None);
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        for letter in line.chars() {
            match (quote, letter) {
                (Some(begun), _) if begun == letter => quote = None,
                (None, '\'' | '"') => quote = Some(letter),
                (None, '(' | '{' | '[') => open.push(letter),
                (None, ')' | '}' | ']') => {
                    let other = open.pop();
                    if !matches!((other, letter), (Some('('), ')') | (Some('{'), '}') | (Some('['), ']')) {
                        return Some(letter);
                    }
                }
                _ => {}
            }
        }
    }
    quote.or_else(|| open.pop())
}

#[test]
fn a_bracket_without_its_other_half_is_found() {
    assert_eq!(unbalanced("a { '(' \"[\" }\n# (\n"), None);
    assert_eq!(unbalanced("a { b ) }"), Some(')'));
    assert_eq!(unbalanced("a { b"), Some('{'));
    assert_eq!(unbalanced("a 'b"), Some('\''));
}
