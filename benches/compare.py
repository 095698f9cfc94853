#!/usr/bin/env python3
"""Times kubectl-runway beside flux, oras and curl, in one run on one machine.

    cargo build --release
    eval "$(cargo xtask testbed up)"
    benches/compare.py [--runs 5] [inventory|deploy|registries|status ...]

Prints one line per measured command: median and range of the wall time, and the largest resident memory (by /usr/bin/time, apt-get install
time). Commands that are compared take turns, so that noise of the machine hits both. Nothing here is a test: a slow machine fails nothing.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from measure import OURS, Row, measure
from status import status

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


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


def ask(url, method, path, body=b"", kind=None):
    """One request to a registry; gives status, headers and body."""
    connection = http.client.HTTPConnection(url)
    connection.request(method, path, body, {"Content-Type": kind, "Content-Length": str(len(body))} if kind or body else {"Content-Length": "0"})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def publish(host, repositories, tag):
    """The same artifact in every one of these repositories, by mounts."""
    blobs = {"config": b"{}", "layer": b"not a tar, since nobody unpacks it here"}
    digest = {name: "sha256:" + hashlib.sha256(blob).hexdigest() for name, blob in blobs.items()}
    entry = lambda name, kind: {"mediaType": f"application/vnd.cncf.flux.{kind}", "digest": digest[name], "size": len(blobs[name])}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": entry("config", "config.v1+json"), "layers": [entry("layer", "content.v1.tar+gzip")]}
    manifest = json.dumps(manifest).encode()
    for repository in repositories:
        for name, blob in blobs.items():
            status, headers, _ = ask(host, "POST", f"/v2/{repository}/blobs/uploads/?mount={digest[name]}&from={repositories[0]}")
            if status == 202:
                location = headers["Location"].split(host, 1)[-1]
                ask(host, "PUT", f"{location}&digest={digest[name]}", blob, "application/octet-stream")
        status, _, said = ask(host, "PUT", f"/v2/{repository}/manifests/{tag}", manifest, MANIFEST)
        if status != 201:
            sys.exit(f"{repository}: {status} {said.decode()}")
    return "sha256:" + hashlib.sha256(manifest).hexdigest()


def serve(answer):
    """A server on a port of its own, for as long as this program runs."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def lists(namespace, base, count, digest):
    """An API server that knows two LISTs: so many workloads, all Ready with this digest."""
    workloads = [f"example-service-{n:06}-gke" for n in range(count)]
    ready = [{"type": "Ready", "status": "True", "reason": "Succeeded", "message": "x", "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}]
    meta = lambda name: {"name": name, "namespace": namespace, "generation": 1, "uid": name, "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    source = lambda name: {
        "metadata": meta(name),
        "spec": {"interval": "5m0s", "url": f"oci://{base}/deployments/{name}/deploy", "ref": {"tag": "production"}},
        "status": {"observedGeneration": 1, "conditions": ready, "artifact": {"revision": f"production@{digest}", "digest": digest, "path": "x", "url": "http://x/x", "lastUpdateTime": "2026-01-01T00:00:00Z"}},
    }
    kustomization = lambda name: {
        "metadata": meta(name),
        "spec": {"interval": "5m0s", "prune": True, "path": "./", "sourceRef": {"kind": "OCIRepository", "name": name}},
        "status": {"observedGeneration": 1, "conditions": ready, "lastAppliedRevision": f"production@{digest}", "lastAttemptedRevision": f"production@{digest}"},
    }
    bodies = {}
    for plural, kind, group, make in (
        ("ocirepositories", "OCIRepository", "source", source),
        ("kustomizations", "Kustomization", "kustomize", kustomization),
    ):
        version = f"{group}.toolkit.fluxcd.io/v1"
        bodies[plural] = json.dumps({"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": [make(name) for name in workloads]}).encode()

    def answer(connection):
        reader = connection.makefile("rb")
        while line := reader.readline():
            while reader.readline().strip():
                pass
            path = line.split()[1].decode()
            body = next((body for plural, body in bodies.items() if f"/{plural}" in path), b'{"kind": "Status", "code": 404, "reason": "NotFound"}')
            head = "200 OK" if body in bodies.values() else "404 Not Found"
            connection.sendall(f"HTTP/1.1 {head}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    return serve(answer)


def flood(connection):
    """A manifest without an end."""
    with contextlib.suppress(OSError):
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {MANIFEST}\r\nConnection: close\r\n\r\n".encode())
        while True:
            connection.sendall(b"x" * 65536)


def requests(host, base, root):
    """How many requests pushes and pulls make, by the log of the registry."""
    log = pathlib.Path(json.loads(pathlib.Path(os.environ["RUNWAY_TESTBED"]).read_text())["ground"]["folder"]) / "logs/registry.log"
    source = ["--source=x", "--revision=y", "--reproducible", "--insecure-registry"]
    ours = lambda tag: [OURS, "inventory", "push", "-e", "production", "--to", f"oci://{base}/count/ours:{tag}"]
    flux = lambda tag: ["flux", "push", "artifact", f"oci://{base}/count/flux:{tag}", "--path", "out", *source]
    oras = lambda tag: ["oras", "push", "--plain-http", f"{base}/count/oras:{tag}", "out/production/inventory.yaml"]
    pulls = {
        "kubectl runway": [OURS, "inventory", "show", f"oci://{base}/count/ours:v1", "-e", "production"],
        "flux": ["flux", "pull", "artifact", f"oci://{base}/count/flux:v1", "--output", "pulled", "--insecure-registry"],
        "oras": ["oras", "pull", "--plain-http", f"{base}/count/oras:v1", "--output", "pulled"],
    }
    (root / "pulled").mkdir()
    print(f"{'requests, plain http':<30}{'new':>8}{'same':>8}{'other tag':>12}{'pull':>8}")
    for name, push in (("kubectl runway", ours), ("flux", flux), ("oras", oras)):
        counts = []
        for command in (push("v1"), push("v1"), push("v2"), pulls[name]):
            before = log.stat().st_size
            subprocess.run([str(part) for part in command], cwd=root, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            # The registry writes its log a moment later.
            time.sleep(0.7)
            with log.open("rb") as file:
                file.seek(before)
                counts.append(sum(f"/{base.split('/', 1)[1]}/".encode() in line or b'"GET /v2/ ' in line for line in file if line.startswith(b"127.0.0.1 ")))
        print(f"{name:<30}{counts[0]:>8}{counts[1]:>8}{counts[2]:>12}{counts[3]:>8}", flush=True)


def registries(runs):
    host = registry()
    base = f"{host}/bench-{os.getpid()}"
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        platform(root, 100)
        subprocess.run([OURS, "inventory", "build", "-e", "production", "--output-dir", "out"], cwd=root, check=True, stderr=subprocess.DEVNULL)
        requests(host, base, root)

        count = 1_000
        repositories = [f"{base.split('/', 1)[1]}/deployments/example-service-{n:06}-gke/deploy" for n in range(count)]
        digest = publish(host, repositories, "production")
        port = lists("runway-provisioner", base, count, digest)
        user = {"clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}], "users": [{"name": "u", "user": {}}]}
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}], **user}
        (root / "kubeconfig").write_text(json.dumps(config))
        accept = 'header = "Accept: application/vnd.oci.image.manifest.v1+json"\nhead\nsilent\nfail\n'
        (root / "heads").write_text(accept + "".join(f'url = "http://{host}/v2/{repository}/manifests/production"\noutput = "/dev/null"\n' for repository in repositories))
        status = [OURS, "status", "-e", "production", "--runtime", "gke", "-f", "config/runtimes/gke/workloads.yml", "-o", "json"]
        env = {"KUBECONFIG": str(root / "kubeconfig"), "RUNWAY_REGISTRY_BASE": base}
        platform(root, count)
        subprocess.run([OURS, "inventory", "push", "-e", "production"], cwd=root, check=True, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        asked = json.loads(subprocess.run([str(part) for part in status], cwd=root, env={**os.environ, **env}, capture_output=True, text=True).stdout)
        known = sum(item.get("expected", {}).get("digest") == digest for item in asked["items"])
        if known != count:
            sys.exit(f"status knows the digests of {known} workloads, not of {count}")
        rows = [
            Row("status, 1000 workloads and their digests", status, None, root, env, (0, 1)),
            Row("status --no-registry, 1000 workloads", [*status, "--no-registry"], None, root, env, (0, 1)),
            Row("curl --parallel, the same 1000 HEADs", ["curl", "--parallel", "--parallel-max", "32", "-K", "heads"], None, root),
        ]
        measure(runs, *rows)
        ours, bare, curl = (statistics.median(row.walls) for row in rows)
        print(f"{'digests: (status - without) / curl':<58} {(ours - bare) / curl:>9.2f} x  (target 1.3; status / (without + curl) {ours / (bare + curl):.2f})")

        peak("status --no-registry, 1000 workloads", [*status, "--no-registry"], root, env, 24)
        peak("status, 1000 workloads and their digests", status, root, env, 24)
        port = serve(flood)
        show = [OURS, "inventory", "show", f"oci://127.0.0.1:{port}/a/x:v1", "-e", "production"]
        said = peak("inventory show before an endless manifest", show, root, {}, 64)
        if said and "is larger than" not in said:
            sys.exit(f"an endless manifest was not refused:\n{said}")


def peak(name, command, cwd, env, target):
    """Prints the largest resident memory; gives what was said on stderr."""
    # What is resident in this program when it forks counts to the child, so that something small has to start it.
    starter = "/usr/bin/time"
    if not pathlib.Path(starter).exists():
        print(f"SKIPPED: memory of {name}: {starter} is not installed (apt-get install time)")
        return ""
    command = [str(part) for part in [starter, "-f", "%M", *command]]
    said = subprocess.run(command, cwd=cwd, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    print(f"{'memory: ' + name:<58} {int(said.split()[-1]) / 1024:>9.1f} MiB  (target {target})", flush=True)
    return said


MEASURES = {"inventory": inventory, "deploy": deploy, "registries": registries, "status": status}


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
