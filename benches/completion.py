"""What TAB costs."""

import pathlib
import shutil
import tempfile

from measure import OURS, Row, measure
from platform_repository import platform


def completion(runs):
    """What TAB costs: a start of our program, and the files that it reads. flux completes its own commands beside it."""
    entry = "- name: context-{n}\n  context: {{cluster: c-{n}, user: u-{n}}}\n"
    cluster = "- name: c-{n}\n  cluster: {{server: 'https://10.0.0.1', certificate-authority-data: " + 1400 * "A" + "}}\n"
    user = "- name: u-{n}\n  user: {{token: " + 900 * "a" + "}}\n"
    parts = [f"{key}:\n" + "".join(text.format(n=n) for n in range(100)) for key, text in (("contexts", entry), ("clusters", cluster), ("users", user))]
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        (root / "kubeconfig").write_text("apiVersion: v1\nkind: Config\ncurrent-context: context-0\n" + "".join(parts))
        env = {"KUBECONFIG": str(root / "kubeconfig"), "HOME": name, "XDG_CACHE_HOME": str(root / "cache")}
        seen = root / "cache/kubectl-runway/workloads"
        seen.mkdir(parents=True)
        head = "kubectl-runway workloads 1\nregistry.gitlab.com/gitlab-com/gl-infra/platform/runway/provisioner/gke-inventory\ngke\nproduction\n"
        (seen / "gke-production-0").write_text(head + "".join(f"seen-service-{n:06}-gke\n" for n in range(1_000)))
        for count in (0, 1_000, 5_000):
            platform(root / str(count), count)
        ask = [OURS, "__complete"]
        rows = [Row("--version", [OURS, "--version"], None, root, env), Row("--help", [OURS, "--help"], None, root, env)]
        rows += [Row("TAB on a command", [*ask, "inventory", "pu"], None, root, env), Row("TAB on a flag", [*ask, "status", "--"], None, root, env)]
        rows += [Row("TAB on a context, 100 of them", [*ask, "status", "--context", ""], None, root, env)]
        rows += [Row(f"TAB on a workload, {count} declared, 1000 seen", [*ask, "status", ""], None, root / str(count), env) for count in (0, 1_000, 5_000)]
        measure(max(runs, 20), *rows)
        flux = shutil.which("flux")
        if flux:
            measure(max(runs, 20), Row("flux __complete of its own commands", [flux, "__complete", "get", "so"], None, root, env))
