//! The program itself, and commands about it.

use super::Page;

pub(super) const PAGES: &[Page] = &[
    Page {
        path: "",
        about: "From workloads.yml it builds the Flux objects of a runtime, publishes them as an OCI artifact, and compares what was published with \
                what the clusters have. Nothing is installed on a cluster.",
        examples: &[
            ("Is what was published what runs?", "kubectl runway status"),
            ("Why is this one not Ready?", "kubectl runway explain example-service-gke"),
            ("What would a push change?", "kubectl runway inventory diff --runtime gke -e production"),
            ("TAB completes commands, contexts and workloads", "kubectl runway completion install"),
        ],
        notes: "Exit codes: 0 yes, 1 no, 2 no answer, 3 partial, 4 out of time, 5 refused.",
        see: &["help", "help exit-codes", "help environment"],
    },
    Page {
        path: "config",
        about: "Settings come from flags, variables RUNWAY_…, the file kubectl-runway.yaml of the repository, the user's own file, and defaults, the \
                first that says something counts.",
        examples: &[("Every setting, and where it came from", "kubectl runway config view --show-origin")],
        notes: "",
        see: &["help settings", "help environment"],
    },
    Page {
        path: "config view",
        about: "Prints every setting with the value that counts here, with the flags of this command on top.",
        examples: &[
            ("Where does each value come from?", "kubectl runway config view --show-origin"),
            ("For a program", "kubectl runway config view -o json"),
        ],
        notes: "Exit codes: 0 printed, 2 a settings file or variable cannot be used.",
        see: &["help settings", "help environment"],
    },
    Page {
        path: "doctor",
        about: "Goes the way that other commands go, step by step, and says what was found at each. Nothing is changed anywhere.",
        examples: &[("May this machine publish the inventory?", "kubectl runway doctor registry --runtime gke -e staging")],
        notes: "",
        see: &["doctor registry", "config view"],
    },
    Page {
        path: "doctor registry",
        about: "Each step is shown with what was found: the proxy, the addresses, the certificate, what the registry wants, which file, entry, \
                helper or variable has a login for it (never the login), and the rights that it gives. Nothing is written: the right to write is \
                known once the registry has begun an upload, which is ended at once.",
        examples: &[
            ("The inventory's repository", "kubectl runway doctor registry --runtime gke -e production"),
            ("A workload's deploy artifact", "kubectl runway doctor registry example-service-gke -e staging"),
            (
                "Any repository, without asking for the right to write",
                "kubectl runway doctor registry oci://registry.example.com/group/project:staging --read-only -o json",
            ),
        ],
        notes: "Exit codes: 0 everything that was asked for is allowed, 1 something is not, 2 the registry gave no answer.",
        see: &["help environment", "inventory push"],
    },
    Page {
        path: "version",
        about: "The version of this program, what it was built for, and the releases of Flux whose schemas it has.",
        examples: &[("For a person", "kubectl runway version"), ("For a program", "kubectl runway version -o json")],
        notes: "",
        see: &["help formats"],
    },
    Page {
        path: "completion",
        about: "TAB completes commands, flags and values: contexts of the kubeconfig, runtimes and environments of the settings, workloads of \
                workloads.yml or of the last inventory that was read. No server is asked.\n\n\
                kubectl asks a program kubectl_complete-runway on PATH, which install writes, and needs its own completion in the shell. flux asks \
                the plugin itself, and needs its own completion in the shell, too. The scripts are for whoever calls kubectl-runway by that name.",
        examples: &[
            ("Set it up for kubectl and this shell", "kubectl runway completion install"),
            ("For bash, in this shell only", "source <(kubectl-runway completion bash)"),
        ],
        notes: "Under flux, for bash:\n  source <(flux completion bash)",
        see: &["completion install", "help environment"],
    },
    Page {
        path: "completion bash",
        about: "Prints the script that completes kubectl-runway in bash 4 or later, with or without the package bash-completion.",
        examples: &[
            ("In this shell", "source <(kubectl-runway completion bash)"),
            ("For all shells to come", "kubectl runway completion install --shell bash --yes"),
        ],
        notes: "",
        see: &["completion install"],
    },
    Page {
        path: "completion zsh",
        about: "Prints the script that completes kubectl-runway in zsh. It needs compinit, and can lie in a folder of fpath as _kubectl-runway.",
        examples: &[
            ("In this shell", "source <(kubectl-runway completion zsh)"),
            ("What belongs in ~/.zshrc", "kubectl runway completion install --shell zsh --dry-run"),
        ],
        notes: "",
        see: &["completion install"],
    },
    Page {
        path: "completion fish",
        about: "Prints the script that completes kubectl-runway in fish.",
        examples: &[
            ("In this shell", "kubectl-runway completion fish | source"),
            ("For all shells to come", "kubectl runway completion install --shell fish --yes"),
        ],
        notes: "",
        see: &["completion install"],
    },
    Page {
        path: "completion powershell",
        about: "Prints the script that completes kubectl-runway in PowerShell.",
        examples: &[("In this shell", "kubectl-runway completion powershell | Out-String | Invoke-Expression")],
        notes: "",
        see: &["completion install"],
    },
    Page {
        path: "completion install",
        about: "Writes the program kubectl_complete-runway, which kubectl asks when TAB is pressed behind kubectl runway, beside kubectl-runway or \
                into another folder of PATH; and for bash and fish the script that completes kubectl-runway, where the shell finds it. It says what \
                it will write, asks, and never replaces a file that it has not written itself. Under flux there is nothing to write: what flux \
                completion prints does it all.",
        examples: &[
            ("What would be written?", "kubectl runway completion install --dry-run"),
            ("Write it without a question", "kubectl runway completion install --yes"),
            ("Into a folder of your choice, for fish", "kubectl runway completion install --dir ~/bin --shell fish --dry-run"),
        ],
        notes: "Exit codes: 0 written, or already there; 2 not written.",
        see: &["completion"],
    },
    Page {
        path: "help",
        about: "Shows the help of a command, or explains a topic. What topics say comes from the tables that the program itself goes by.",
        examples: &[
            ("All findings of verify, and one of them", "kubectl runway help finding duplicate-id"),
            ("What do the verdicts of status mean?", "kubectl runway help verdicts"),
            ("A command", "kubectl runway help inventory push"),
        ],
        notes: "Topics: finding [CODE], exit-codes, verdicts, reasons, settings, environment, formats.",
        see: &["help exit-codes", "help settings", "help reasons"],
    },
];
