//! `deploy …`.

use super::Page;

pub(super) const PAGES: &[Page] = &[
    Page {
        path: "deploy",
        about: "A deploy artifact holds a workload's own manifests for one environment. The workload's OCIRepository follows its tag, and its \
                Kustomization applies it. Manifests come from a folder, a file, standard input, or a Helm chart that helm renders.",
        examples: &[
            ("Check manifests", "kubectl runway deploy verify example-service-gke --path manifests"),
            ("Publish them", "kubectl runway deploy push example-service-gke -e staging --path manifests"),
            ("Is it running?", "kubectl runway status example-service-gke"),
        ],
        notes: "",
        see: &["inventory", "status", "tree"],
    },
    Page {
        path: "deploy build",
        about: "Reads manifests, checks them, and prints the objects as they would be published: one order, one form, whatever files they came from.",
        examples: &[
            ("From a folder", "kubectl runway deploy build example-service-gke --path manifests"),
            ("From a chart", "kubectl runway deploy build example-service-gke --chart chart --values production.yaml"),
            ("From another program", "kustomize build . | kubectl runway deploy build example-service-gke -f - --output-dir out"),
        ],
        notes: "Exit codes: 0 built, 2 not built.",
        see: &["deploy verify", "deploy push"],
    },
    Page {
        path: "deploy verify",
        about: "Reports everything that is wrong with a workload's manifests, each finding with its line: YAML, names, duplicate objects, namespaces \
                that the platform does not allow, Secrets, and variables that Flux would replace. No server is asked.",
        examples: &[
            ("A folder", "kubectl runway deploy verify example-service-gke --path manifests"),
            ("A chart", "kubectl runway deploy verify example-service-gke -e production --chart chart --values production.yaml"),
            (
                "Reports for people and for GitLab",
                "kubectl runway deploy verify example-service-gke --path manifests -o human -o junit=verify.xml",
            ),
        ],
        notes: "Several formats at once: -o FORMAT=FILE writes a file.\n\
                Exit codes: 0 fine, 1 errors were found, 2 the manifests could not be read.",
        see: &["help finding", "deploy diff", "deploy push"],
    },
    Page {
        path: "deploy diff",
        about: "Compares what would be published with what the tag holds, object by object and field by field.",
        examples: &[
            (
                "A chart with what is published",
                "kubectl runway deploy diff example-service-gke -e production --chart chart --values production.yaml",
            ),
            (
                "A comment for a merge request",
                "kubectl runway deploy diff example-service-gke -e production --path manifests -o markdown=comment.md",
            ),
            (
                "With a layout on disk",
                "kubectl runway deploy diff example-service-gke --path manifests --with layout:deployed:staging",
            ),
        ],
        notes: "Exit codes: 0 the same, 1 different, 2 could not be compared.",
        see: &["deploy push", "deploy show", "help formats"],
    },
    Page {
        path: "deploy push",
        about: "Checks, plans against what the tag holds, refuses removals beyond the guard's limits, pushes, and reads the tag back. Equal content \
                is not pushed again. Flux fetches it when it looks next.",
        examples: &[
            (
                "The plan; nothing is pushed",
                "kubectl runway deploy push example-service-gke -e staging --chart chart --values staging.yaml --dry-run",
            ),
            ("Publish a folder", "kubectl runway deploy push example-service-gke -e staging --path manifests"),
            (
                "To an OCI layout on disk",
                "kubectl runway deploy push example-service-gke -e staging --path manifests --to layout:deployed",
            ),
        ],
        notes: "Exit codes: 0 pushed or unchanged, 2 not done, 5 refused by the guard or because somebody moved the tag.",
        see: &["deploy diff", "status", "reconcile"],
    },
    Page {
        path: "deploy pull",
        about: "Gets the files of a published deploy artifact as they are, and writes them below a folder.",
        examples: &[
            ("What is published now", "kubectl runway deploy pull example-service-gke -e production --output-dir out"),
            (
                "From a layout on disk",
                "kubectl runway deploy pull example-service-gke layout:deployed:staging --output-dir pulled",
            ),
        ],
        notes: "Exit codes: 0 written, 2 not there or not written.",
        see: &["deploy show", "deploy list"],
    },
    Page {
        path: "deploy list",
        about: "Lists the tags of a workload's deploy artifact, each with its digest, the time, and the source and revision that its manifest names.",
        examples: &[
            ("All tags", "kubectl runway deploy list example-service-gke"),
            ("Tags of a layout on disk, for a program", "kubectl runway deploy list example-service-gke layout:deployed -o json"),
        ],
        notes: "Exit codes: 0 listed, 2 could not be read.",
        see: &["deploy show", "deploy pull"],
    },
    Page {
        path: "deploy show",
        about: "Prints the objects of a published deploy artifact as YAML, in the form in which build prints them, whoever has published it.",
        examples: &[
            ("What is published now", "kubectl runway deploy show example-service-gke -e production"),
            ("From a layout on disk", "kubectl runway deploy show example-service-gke layout:deployed:staging"),
        ],
        notes: "Exit codes: 0 printed, 2 not there or not readable.",
        see: &["deploy diff", "deploy list"],
    },
];
