#!/usr/bin/env python3
"""Times kubectl-runway beside flux, oras and curl, in one run on one machine.

    cargo build --release
    eval "$(cargo xtask testbed up)"
    benches/compare.py [--runs 5] [inventory|deploy ...]

Prints one line per measured command: median and range of the wall time, and the largest resident memory. Commands that are compared
take turns, so that noise of the machine hits both. Nothing here is a test: a slow machine fails nothing.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = ROOT / "target/release/kubectl-runway"


class Row:
    """One command, measured several times."""

    def __init__(self, name, command, before=None, cwd=None, env=None, codes=(0,)):
        self.name, self.command, self.before, self.cwd, self.codes = name, [str(part) for part in command], before, cwd, codes
        self.env = {**os.environ, **(env or {})}
        self.walls, self.memory = [], 0

    def run(self):
        if self.before:
            self.before()
        begin = time.perf_counter()
        child = subprocess.Popen(self.command, cwd=self.cwd, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        self.walls.append(time.perf_counter() - begin)
        self.memory = max(self.memory, usage.ru_maxrss)
        if os.waitstatus_to_exitcode(status) not in self.codes:
            sys.exit(f"{' '.join(self.command)}: exit {os.waitstatus_to_exitcode(status)}\n{said.decode()}")

    def show(self):
        ms = [1000 * wall for wall in self.walls]
        print(f"{self.name:<58} {statistics.median(ms):>9.1f} ms  ({min(ms):.1f}-{max(ms):.1f})  {self.memory / 1024:>7.1f} MiB", flush=True)


def measure(runs, *rows):
    """Runs the rows in turns; the first round warms caches and does not count."""
    for row in rows:
        row.run()
        row.walls.clear()
    for _ in range(runs):
        for row in rows:
            row.run()
    for row in rows:
        row.show()


def platform(folder, count, change=""):
    """A platform repository with so many workloads."""
    runtime = folder / "config/runtimes/gke"
    runtime.mkdir(parents=True, exist_ok=True)
    entry = "- runway_service_id: example-service-{:06}-gke\n  project_id: {}\n  regions: [us-east1]\n"
    lines = [entry.format(n, 40000000 + n) for n in range(count)]
    (runtime / "workloads.yml").write_text("".join(lines) + change)


def registry():
    """The test bed's registry, as `cargo xtask testbed up` exported it."""
    state = os.environ.get("RUNWAY_TESTBED")
    if not state:
        sys.exit('no test bed: eval "$(cargo xtask testbed up)"')
    return re.search(r"localhost:\d+", json.loads(pathlib.Path(state).read_text())["registry"]).group(0)


def inventory(runs):
    base = f"{registry()}/bench-{os.getpid()}"
    env = {"RUNWAY_REGISTRY_BASE": base}
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        measure(runs, Row("--version", [OURS, "--version"]), Row("flux version --client", ["flux", "version", "--client"]))
        for count in (1_000, 10_000, 100_000):
            platform(root / str(count), count)
            measure(runs if count < 100_000 else 3, Row(f"inventory build, {count} workloads", [OURS, "inventory", "build", "-e", "production"], cwd=root / str(count)))

        folder = root / "1000"
        push = [OURS, "inventory", "push", "-e", "production"]
        turn = iter(range(1_000_000))

        def change():
            platform(folder, 1_000, f"- runway_service_id: changed-{next(turn)}\n")
            subprocess.run([OURS, "inventory", "build", "-e", "production", "--output-dir", "out"], cwd=folder, check=True, stderr=subprocess.DEVNULL)

        url = f"oci://{base}/flux/gke-inventory:production"
        flux = ["flux", "push", "artifact", url, "--path", "out", "--source=x", "--revision=y", "--reproducible", "--insecure-registry"]
        oras = ["oras", "push", "--plain-http", url.removeprefix("oci://").replace("/flux/", "/oras/"), "out/production/inventory.yaml"]
        measure(
            runs,
            Row("inventory push, 1000 workloads, changed", push, change, folder, env),
            Row("flux push artifact of the same folder", flux, None, folder),
            Row("oras push of the same file", oras, None, folder),
        )
        measure(
            runs,
            Row("inventory push, 1000 workloads, unchanged", push, None, folder, env),
            Row("flux push artifact, unchanged", flux, None, folder),
            Row("oras push, unchanged", oras, None, folder),
        )
        if "verify" in subprocess.run([OURS, "inventory", "--help"], capture_output=True, text=True).stdout:
            measure(runs, Row("inventory verify, 1000 workloads, all schemas", [OURS, "inventory", "verify", "-e", "production"], None, folder, env))


DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{n}
  namespace: shop
  labels: {{app.kubernetes.io/name: web-{n}, app.kubernetes.io/managed-by: Helm}}
spec:
  replicas: 3
  selector:
    matchLabels: {{app.kubernetes.io/name: web-{n}}}
  template:
    metadata:
      labels: {{app.kubernetes.io/name: web-{n}}}
    spec:
      containers:
        - name: app
          image: "registry.example.com/web:{value}"
          ports: [{{name: http, containerPort: 8080}}]
          resources: {{requests: {{cpu: 100m, memory: 128Mi}}}}
          livenessProbe: {{httpGet: {{path: /health, port: http}}}}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-{n}\n  namespace: shop\ndata:\n  key: value {n}\n  file.yaml: |\n    a: 1\n    b: {value}\n"


def manifests(folder, count, value):
    """So many manifests, a file each."""
    folder.mkdir(exist_ok=True)
    for n in range(count):
        (folder / f"m{n}.yaml").write_text((DEPLOYMENT if n % 2 else CONFIG).format(n=n, value=value))


def deploy(runs):
    base = f"{registry()}/bench-{os.getpid()}"
    env = {"RUNWAY_REGISTRY_BASE": base}
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        manifests(root / "m", 200, 0)
        manifests(root / "many", 10_000, 0)
        (root / "all.yaml").write_text("---\n".join(file.read_text() for file in (root / "many").iterdir()))
        for verb in ("build", "verify"):
            measure(
                runs,
                Row(f"deploy {verb}, 200 manifests", [OURS, "deploy", verb, "web", "--path", "m"], None, root),
                Row(f"deploy {verb}, 10000 documents in a file", [OURS, "deploy", verb, "web", "-f", "all.yaml"], None, root),
            )
        turn = iter(range(1, 1_000_000))
        push = [OURS, "deploy", "push", "web", "-e", "production", "--path", "m"]
        url = f"oci://{base}/flux/web:production"
        flux = ["flux", "push", "artifact", url, "--path", "m", "--source=x", "--revision=y", "--reproducible", "--insecure-registry"]
        measure(
            runs,
            Row("deploy push, 200 manifests, changed", push, lambda: manifests(root / "m", 200, next(turn)), root, env),
            Row("flux push artifact of the same folder", flux, None, root),
        )
        measure(
            runs,
            Row("deploy push, 200 manifests, unchanged", push, None, root, env),
            Row("flux push artifact, unchanged", flux, None, root),
        )


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


MEASURES = {"inventory": inventory, "deploy": deploy, "completion": completion}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("what", nargs="*", default=list(MEASURES), choices=[*MEASURES, []])
    arguments = parser.parse_args()
    if not OURS.exists():
        sys.exit("no release build: cargo build --release")
    for name in arguments.what:
        MEASURES[name](arguments.runs)


if __name__ == "__main__":
    main()
