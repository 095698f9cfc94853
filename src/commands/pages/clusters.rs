//! Commands that look at clusters, and those that act on them.

use super::Page;

pub(super) const PAGES: &[Page] = &[
    Page {
        path: "bootstrap",
        about: "The parent pair is one OCIRepository and one Kustomization, named <runtime>-inventory, that make a cluster fetch and apply the \
                inventory of its runtime and environment. Without a runtime and an environment the variables ${cloud_provider} and ${environment} \
                stay in it, for a platform that fills them in.",
        examples: &[
            ("Print it, with variables", "kubectl runway bootstrap"),
            ("Print it for one runtime and environment", "kubectl runway bootstrap --runtime gke -e production"),
            (
                "Does the cluster have it?",
                "kubectl runway bootstrap --runtime gke -e production --check --context production-gke",
            ),
            ("Apply it", "kubectl runway bootstrap --runtime gke -e production --apply --context production-gke"),
        ],
        notes: "Exit codes: 0 printed, the same, applied; 1 --check found a difference; 2 not done.",
        see: &["inventory push", "status", "help settings"],
    },
    Page {
        path: "status",
        about: "Follows each workload along its chain, declared, published, parent, installed, deployed, fetched, applied, healthy, and says in one \
                word how it stands on each cluster; of one workload it shows the whole chain. It believes Flux's last look and shows its age; \
                --objects looks at the applied objects themselves. Without --context the current context is looked at.",
        examples: &[
            ("Everything on the current cluster", "kubectl runway status"),
            ("One workload: every link of its chain", "kubectl runway status example-service-gke"),
            (
                "What is not Ready on several clusters",
                "kubectl runway status --not-ready --context 'production-*' --exclude-context '*-eu'",
            ),
            ("A matrix of all clusters of the settings", "kubectl runway status --all-clusters -o matrix"),
            ("Make Flux look, and wait until it runs", "kubectl runway status example-service-gke --wait --trigger"),
            ("Keep looking", "kubectl runway status --watch --not-ready"),
            ("Judge what was saved", "kubectl runway status --snapshot saved -o json"),
        ],
        notes: "Exit codes: 0 all Ready, 1 something is not, 2 no answer, 3 some clusters gave no answer, 4 --wait ran out of time.\n\
                All that was looked at counts, whether --verdict shows it or not.",
        see: &["explain", "tree", "help verdicts"],
    },
    Page {
        path: "explain",
        about: "Says of a workload which link of its chain broke first, why, and which command to run next; below that the evidence of every link. \
                The applied objects themselves are looked at.",
        examples: &[
            ("Why is it not Ready?", "kubectl runway explain example-service-gke"),
            ("On every cluster of the settings", "kubectl runway explain example-service-gke --all-clusters"),
            ("From a snapshot", "kubectl runway explain example-service-gke --snapshot saved"),
        ],
        notes: "Exit codes: 0 Ready, 1 not Ready, 2 no answer, 3 some clusters gave no answer.",
        see: &["tree", "status", "help reasons"],
    },
    Page {
        path: "tree",
        about: "Shows the two Flux objects of a workload and below them every object that they have applied, each with its health as Flux's own \
                health checks see it (kstatus), and the Pods that are in trouble.",
        examples: &[
            ("One workload", "kubectl runway tree example-service-gke"),
            ("A parent: the Flux objects of all workloads", "kubectl runway tree gke-inventory -o json"),
        ],
        notes: "Exit codes: 0 Ready, 1 not Ready, 2 no answer, 3 some clusters gave no answer.",
        see: &["explain", "status"],
    },
    Page {
        path: "reconcile",
        about: "Asks Flux to look at a workload's source and then at its Kustomization, and waits for the proof that it has. Suspended workloads are \
                refused, since Flux would not look at them. Whether the workload became Ready is another question: kubectl runway status --wait --trigger.",
        examples: &[
            ("One workload", "kubectl runway reconcile example-service-gke"),
            (
                "The parent first, so that a new inventory is applied",
                "kubectl runway reconcile example-service-gke --with-parent",
            ),
            ("Everything on a cluster", "kubectl runway reconcile --all --context production-gke"),
            ("What would be sent", "kubectl runway reconcile example-service-gke --dry-run"),
        ],
        notes: "Exit codes: 0 Flux has handled it, 2 not done, 4 not handled in time, 5 refused (suspended); nothing was changed.",
        see: &["status", "explain"],
    },
    Page {
        path: "snapshot",
        about: "A snapshot is what status saw, as files: to look at it later, to send it to somebody, or to test with it.",
        examples: &[
            ("Save what the current cluster has", "kubectl runway snapshot save before-the-change"),
            ("Judge it", "kubectl runway status --snapshot before-the-change"),
        ],
        notes: "",
        see: &["status", "explain"],
    },
    Page {
        path: "snapshot save",
        about: "Writes a folder with cluster.json (the Flux objects), published/ (the inventory) and registry.json (the digests that the registry has \
                now). No Secret and no object of a workload is read.",
        examples: &[
            ("The current cluster", "kubectl runway snapshot save before-the-change"),
            ("Another one, in a folder named after it and the time", "kubectl runway snapshot save --context production-gke"),
        ],
        notes: "Exit codes: 0 saved, 2 not saved.",
        see: &["status", "explain"],
    },
];
