//! `inventory …`.

use super::Page;

pub(super) const PAGES: &[Page] = &[
    Page {
        path: "inventory",
        about: "An inventory is the list of all Flux objects of one runtime and environment, two for each workload. It is built from workloads.yml, \
                published as an OCI artifact, and applied on the clusters by the parent pair that bootstrap prints.",
        examples: &[
            ("What would be published", "kubectl runway inventory build --runtime gke -e production"),
            ("What would change", "kubectl runway inventory diff --runtime gke -e production"),
            ("Publish it", "kubectl runway inventory push --runtime gke -e production"),
        ],
        notes: "",
        see: &["status", "bootstrap", "deploy"],
    },
    Page {
        path: "inventory build",
        about: "Reads workloads.yml, checks it, and prints the OCIRepository and the Kustomization of every workload. The same input gives the \
                same bytes on every machine. Nothing is asked of any server.",
        examples: &[
            ("Print the objects", "kubectl runway inventory build --runtime gke -e production"),
            (
                "Write them to out/production/inventory.yaml",
                "kubectl runway inventory build --runtime gke -e production --output-dir out",
            ),
            (
                "Fail when what is in out is not what would be built",
                "kubectl runway inventory build --runtime gke -e production --output-dir out --check",
            ),
            (
                "An OCI layout on disk instead of a registry",
                "kubectl runway inventory build --runtime gke -e production --to layout:layout",
            ),
        ],
        notes: "A file in the environment's folder that was not built is a difference, too: a push of the folder would publish it.\n\
                Exit codes: 0 built, 1 --check found a difference, 2 not built.",
        see: &["inventory verify", "inventory push", "help settings"],
    },
    Page {
        path: "inventory verify",
        about: "Reports everything that is wrong at once, each finding with its line: syntax, ids, regions, durations, references, dependencies, \
                variables, and every object against the schemas of Flux's own releases. Offline, unless --artifacts or --context asks for more.",
        examples: &[
            ("Check every environment of a runtime", "kubectl runway inventory verify --runtime gke"),
            (
                "Check one file, with warnings as errors",
                "kubectl runway inventory verify -f config/runtimes/gke/workloads.yml --runtime gke -e production --strict",
            ),
            (
                "Reports for people and for GitLab",
                "kubectl runway inventory verify --runtime gke -o human -o junit=verify.xml -o gitlab-codequality=quality.json",
            ),
            ("Is every deploy artifact there?", "kubectl runway inventory verify --runtime gke -e production --artifacts"),
            (
                "Would the clusters take every object?",
                "kubectl runway inventory verify --runtime gke -e production --context 'production-*'",
            ),
            (
                "Check what is published",
                "kubectl runway inventory verify oci://registry.example.com/provisioner/gke-inventory:production -e production",
            ),
        ],
        notes: "Several formats at once: -o FORMAT=FILE writes a file.\n\
                Exit codes: 0 nothing wrong, 1 errors were found, 2 could not verify, 3 some of several clusters gave no answer.",
        see: &["help finding", "inventory diff", "inventory push"],
    },
    Page {
        path: "inventory diff",
        about: "Compares two inventories workload by workload and field by field; without arguments what would be built with what is published. \
                Each side is a workloads.yml, a file of manifests (- is standard input), a folder that contains the environment's, a registry, a \
                layout or a cluster. Defaults that the API fills in do not count; of a cluster neither does spec.suspend. A removal says its \
                consequence: pruned, or left behind as an orphan.",
        examples: &[
            ("What would a push change?", "kubectl runway inventory diff --runtime gke -e production"),
            (
                "The same as a comment for a merge request",
                "kubectl runway inventory diff --runtime gke -e production -o markdown=comment.md",
            ),
            (
                "With what a cluster has applied",
                "kubectl runway inventory diff --runtime gke -e production local cluster:production-gke",
            ),
            ("With a layout on disk", "kubectl runway inventory diff --runtime gke -e production local layout:layout"),
            (
                "A file by its name, against a layout",
                "kubectl runway inventory diff --runtime gke -e production config/runtimes/gke/workloads.yml layout:layout",
            ),
        ],
        notes: "Where both sides name a tag or hold one folder only, neither --runtime nor -e need be given.\n\
                Exit codes: 0 the same, 1 different, 2 could not be compared.",
        see: &["inventory push", "inventory show", "help formats"],
    },
    Page {
        path: "inventory push",
        about: "Builds and verifies, plans against what the tag holds, refuses removals beyond the guard's limits, pushes blobs, manifest and tag in \
                this order, and reads the tag back. Equal content is not pushed again, in whatever order. What the tag holds counts by namespace and \
                name, objects that are no workloads included. The tag of another environment is refused. Clusters follow the tag by themselves.",
        examples: &[
            ("The plan; nothing is pushed", "kubectl runway inventory push --runtime gke -e production --dry-run"),
            ("Publish", "kubectl runway inventory push --runtime gke -e production"),
            ("To an OCI layout on disk", "kubectl runway inventory push --runtime gke -e production --to layout:layout"),
            ("Let two workloads be removed", "kubectl runway inventory push --runtime gke -e production --allow-removals 2"),
            (
                "A plan that knows what is suspended on a cluster",
                "kubectl runway inventory push --runtime gke -e production --dry-run --context production-gke",
            ),
        ],
        notes: "-o dotenv prints RUNWAY_REF, RUNWAY_TAG, RUNWAY_DIGEST and RUNWAY_CHANGED for later CI jobs.\n\
                Of a refused push they name what the tag still holds. A report that cannot be written is told before anything is pushed.\n\
                Exit codes: 0 pushed or unchanged, 2 not done or not wholly (\"pushed, but …\"), 5 refused by the guard or because somebody moved the tag.",
        see: &["inventory diff", "status", "help settings"],
    },
    Page {
        path: "inventory pull",
        about: "Gets the files of a published inventory as they are, and writes them below a folder. Files that are there and are not in the \
                artifact stay.",
        examples: &[
            ("What is published now", "kubectl runway inventory pull --runtime gke -e production --output-dir out"),
            (
                "What a repository holds",
                "kubectl runway inventory pull oci://registry.example.com/x/provisioner/gke-inventory:production -e production --output-dir out",
            ),
            ("From a layout on disk", "kubectl runway inventory pull layout:layout:production --output-dir pulled"),
        ],
        notes: "Where the source names a tag or holds one folder only, -e need not be given.\nExit codes: 0 written, 2 not there or not written.",
        see: &["inventory show", "inventory diff"],
    },
    Page {
        path: "inventory list",
        about: "Lists the tags of an inventory's repository, each with its digest, the time, and the source and revision that its manifest names.",
        examples: &[
            ("Tags of a runtime's inventory", "kubectl runway inventory list --runtime gke"),
            ("Tags of a layout on disk, for a program", "kubectl runway inventory list layout:layout -o json"),
        ],
        notes: "Exit codes: 0 listed, 2 could not be read.",
        see: &["inventory show", "inventory pull"],
    },
    Page {
        path: "inventory show",
        about: "Prints the Flux objects of a published inventory as YAML, in the form in which build prints them, whoever has published it.",
        examples: &[
            ("What is published now", "kubectl runway inventory show --runtime gke -e production"),
            (
                "What a repository holds",
                "kubectl runway inventory show oci://registry.example.com/runway/provisioner/gke-inventory:production -e production",
            ),
            ("From a layout on disk", "kubectl runway inventory show layout:layout -e production"),
        ],
        notes: "Where the source names a tag or holds one folder only, -e need not be given.\nExit codes: 0 printed, 2 not there or not readable.",
        see: &["inventory diff", "inventory list"],
    },
];
