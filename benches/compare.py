#!/usr/bin/env python3
"""Times kubectl-runway beside flux, oras and curl, in one run on one machine.

    cargo build --release
    eval "$(cargo xtask testbed up)"
    benches/compare.py [--runs 5] [inventory|deploy|registries|completion|status ...]

Prints one line per measured command: median and range of the wall time, and the largest resident memory (by /usr/bin/time, apt-get install
time). Commands that are compared take turns, so that noise of the machine hits both. Nothing here is a test: a slow machine fails nothing.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from completion import completion
from measure import OURS, Row, measure
from platform_repository import platform, registry
from registries import registries
from status import status


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


MEASURES = {"inventory": inventory, "deploy": deploy, "registries": registries, "completion": completion, "status": status}


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
