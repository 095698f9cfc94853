"""`status` beside flux, kubectl and curl: 100, 1,000 and 5,000 workloads on one API server, and 1, 8, 64 clusters far away.

The objects are written straight to an API server that is started beside the bed's, in the same etcd and without controllers, as Flux
would leave them: with a good status, the labels of the parent, and managed fields.
"""

import asyncio
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import secrets
import shlex
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from measure import OURS, Row, measure, once

DIGEST = "sha256:" + "a" * 64
TIME = "2026-11-23T00:00:00Z"
GROUPS = {"OCIRepository": "source.toolkit.fluxcd.io/v1", "Kustomization": "kustomize.toolkit.fluxcd.io/v1"}
PLURALS = {"OCIRepository": "ocirepositories", "Kustomization": "kustomizations"}


class Api:
    """An API server without controllers, in the bed's etcd, with the bed's certificates."""

    def __init__(self, state, folder):
        ground = state["ground"]
        pki = pathlib.Path(ground["folder"]) / "data/pki"
        self.bin, self.ca, self.token = pathlib.Path(ground["bin"]), pki / "ca.crt", secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "tokens.csv").write_text(f'{self.token},admin,admin,"system:masters"\n')
        self.log = open(folder / "kube-apiserver.log", "w")
        self.process = subprocess.Popen(
            [
                self.bin / "kube-apiserver", f"--etcd-servers={ground['etcd']}", f"--etcd-prefix=/bench-{os.getpid()}",
                "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", f"--secure-port={self.port}",
                f"--tls-cert-file={pki / 'server.crt'}", f"--tls-private-key-file={pki / 'server.key'}", f"--cert-dir={folder}",
                f"--token-auth-file={folder / 'tokens.csv'}", "--authorization-mode=RBAC",
                f"--service-account-key-file={pki / 'service-accounts.pub'}", f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
                "--service-account-issuer=https://localhost", "--service-cluster-ip-range=10.96.0.0/24", "--disable-admission-plugins=ServiceAccount",
            ],
            stdout=self.log, stderr=self.log,
        )
        self.trust = ssl.create_default_context(cafile=self.ca)
        self.local = threading.local()
        deadline = time.monotonic() + 60
        while not self.is_ready():
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit(f"the API server is not ready: {folder / 'kube-apiserver.log'}")
            time.sleep(0.2)
        self.kubeconfig = self.write_kubeconfig(folder / "kubeconfig", {"one": self.port})
        env = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        subprocess.run([self.bin / "kubectl", "apply", "--server-side", "-f", ground["crds"]], env=env, check=True, stdout=subprocess.DEVNULL)
        # Until the new kinds are served.
        while any(self.ask("GET", f"/apis/{GROUPS[kind]}/{PLURALS[kind]}")[0] != 200 for kind in GROUPS):
            time.sleep(0.2)

    def write_kubeconfig(self, path, ports):
        """A kubeconfig with these contexts, each on its port; the first is the current one."""
        cluster = lambda port: {"server": f"https://localhost:{port}", "certificate-authority": str(self.ca)}
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": next(iter(ports)),
            "clusters": [{"name": name, "cluster": cluster(port)} for name, port in ports.items()],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "admin"}} for name in ports],
            "users": [{"name": "admin", "user": {"token": self.token}}],
        }))
        return path

    def is_ready(self):
        try:
            return self.ask("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def ask(self, method, path, body=None, kind="application/json", again=True):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = http.client.HTTPSConnection("localhost", self.port, context=self.trust, timeout=60)
        try:
            connection.request(method, path, json.dumps(body) if body else None, {"Authorization": f"Bearer {self.token}", "Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.local.connection = None
            # One that was idle for long is closed by the server.
            if again:
                return self.ask(method, path, body, kind, again=False)
            raise OSError(str(error)) from error

    def must(self, *request):
        status, body = self.ask(*request)
        if status >= 300:
            sys.exit(f"{request[0]} {request[1]}: {status} {body[:400]}")

    def write(self, objects):
        """Creates objects with their status, eight at a time."""
        def one(object):
            status = object.pop("status")
            kind, namespace, name = object["kind"], object["metadata"]["namespace"], object["metadata"]["name"]
            path = f"/apis/{GROUPS[kind]}/namespaces/{namespace}/{PLURALS[kind]}"
            self.must("POST", path, object)
            self.must("PATCH", f"{path}/{name}/status", {"status": status}, "application/merge-patch+json")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(one, objects))

    def stop(self):
        self.process.terminate()
        self.process.wait()


def good(kind, digest):
    """The status that Flux leaves after a run without trouble."""
    revision = f"production@{digest}"
    ready = {"type": "Ready", "status": "True", "observedGeneration": 1, "lastTransitionTime": TIME}
    if kind == "OCIRepository":
        words = f"stored artifact for digest '{revision}'"
        stored = {"type": "ArtifactInStorage", "status": "True", "reason": "Succeeded", "message": words, "observedGeneration": 1, "lastTransitionTime": TIME}
        return {
            "observedGeneration": 1, "conditions": [{**ready, "reason": "Succeeded", "message": words}, stored],
            "artifact": {"revision": revision, "digest": digest, "lastUpdateTime": TIME, "path": "ocirepository/x/y/z.tar.gz", "size": 300,
                         "url": "http://source-controller.flux-system.svc.cluster.local./ocirepository/x/y/z.tar.gz",
                         "metadata": {"org.opencontainers.image.created": TIME, "org.opencontainers.image.revision": "main@sha1:" + "0" * 40,
                                      "org.opencontainers.image.source": "https://example.com/service.git"}},
            "url": "http://source-controller.flux-system.svc.cluster.local./ocirepository/x/y/latest.tar.gz",
        }
    return {
        "observedGeneration": 1, "conditions": [{**ready, "reason": "ReconciliationSucceeded", "message": f"Applied revision: {revision}"}],
        "lastAppliedRevision": revision, "lastAttemptedRevision": revision, "lastAppliedOriginRevision": "main@sha1:" + "0" * 40,
        "inventory": {"entries": [{"id": "x_config__ConfigMap", "v": "v1"}, {"id": "x_web_apps_Deployment", "v": "v1"}]},
    }


def parents(namespace, url, digest):
    name = "gke-inventory"
    return [
        {"apiVersion": GROUPS["OCIRepository"], "kind": "OCIRepository", "metadata": {"name": name, "namespace": namespace},
         "spec": {"interval": "5m0s", "url": url, "ref": {"tag": "production"}}, "status": good("OCIRepository", digest)},
        {"apiVersion": GROUPS["Kustomization"], "kind": "Kustomization", "metadata": {"name": name, "namespace": namespace},
         "spec": {"interval": "10m0s", "path": "./production", "prune": True, "sourceRef": {"kind": "OCIRepository", "name": name}},
         "status": good("Kustomization", digest)},
    ]


def scene(api, root, base, count):
    """A namespace with so many workloads, published, as Flux would leave it; gives the platform's folder, variables, and the namespace."""
    base = f"{base}-{count}"
    namespace, folder = f"bench-{count}", root / str(count)
    runtime = folder / "config/runtimes/gke"
    runtime.mkdir(parents=True)
    entry = "- runway_service_id: example-service-{:06}-gke\n  project_id: {}\n  regions: [us-east1]\n"
    (runtime / "workloads.yml").write_text("".join(entry.format(n, 40000000 + n) for n in range(count)))
    env = {**os.environ, "RUNWAY_REGISTRY_BASE": base, "RUNWAY_NAMESPACE": namespace}
    told = subprocess.run([OURS, "inventory", "push", "-e", "production", "-o", "json"], cwd=folder, env=env, check=True, capture_output=True, text=True)
    digest = json.loads(told.stdout)["digest"]
    subprocess.run([OURS, "inventory", "build", "-e", "production", "--output-dir", "out"], cwd=folder, env=env, check=True, stderr=subprocess.DEVNULL)
    api.must("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    listed = subprocess.run([api.bin / "kubectl", "create", "--dry-run=client", "-o", "json", "-f", "out/production"], cwd=folder, capture_output=True, text=True,
                            env={**env, "KUBECONFIG": str(api.kubeconfig)}, check=True).stdout
    objects, at, end = [], 0, len(listed.rstrip())
    while at < end:
        # One document after the other.
        object, at = json.JSONDecoder().raw_decode(listed, at)
        objects.append(object)
        at = re.compile(r"\s*").match(listed, at).end()
    owner = {"kustomize.toolkit.fluxcd.io/name": "gke-inventory", "kustomize.toolkit.fluxcd.io/namespace": namespace}
    for object in objects:
        object["metadata"]["labels"] = owner
        object["status"] = good(object["kind"], DIGEST)
    url = f"oci://{base}/provisioner/gke-inventory"
    top = parents(namespace, url, digest)
    entries = [{"id": f"{namespace}_{o['metadata']['name']}_{o['apiVersion'].split('/')[0]}_{o['kind']}", "v": "v1"} for o in objects]
    top[1]["status"]["inventory"] = {"entries": entries}
    api.write(objects + top)
    return folder, {"KUBECONFIG": str(api.kubeconfig), "RUNWAY_NAMESPACE": namespace, "RUNWAY_REGISTRY_BASE": base}, namespace


def curls(api, namespace, ports=()):
    """Both raw lists of every port, side by side: the floor."""
    urls = [f"https://localhost:{port}/apis/{GROUPS[kind]}/namespaces/{namespace}/{PLURALS[kind]}" for port in ports or [api.port] for kind in GROUPS]
    return ["curl", "-sS", "--parallel", "--parallel-immediate", "--parallel-max", "200", "--cacert", api.ca, "-H", f"Authorization: Bearer {api.token}",
            *[part for url in urls for part in ("-o", "/dev/null", url)]]


def shell(*commands):
    return ["sh", "-c", " && ".join(shlex.join(map(str, command)) for command in commands)]


def status(runs):
    if not os.environ.get("RUNWAY_TESTBED"):
        sys.exit('no test bed: eval "$(cargo xtask testbed up)"')
    state = json.loads(pathlib.Path(os.environ["RUNWAY_TESTBED"]).read_text())
    base = f"{re.search(r'localhost:[0-9]+', state['registry']).group(0)}/bench-{os.getpid()}"
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        api = Api(state, root)
        try:
            for count in (100, 1_000, 5_000):
                one_cluster(api, root, base, count, runs)
            many_clusters(api, root, base, runs)
        finally:
            api.stop()


def one_cluster(api, root, base, count, runs):
    folder, env, namespace = scene(api, root, base, count)
    ours = [OURS, "status", "-e", "production", "--no-registry"]
    lists = [f"/apis/{GROUPS[kind]}/namespaces/{namespace}/{PLURALS[kind]}" for kind in GROUPS]
    measure(
        runs,
        Row(f"status --no-registry, {count} workloads", ours, None, folder, env),
        Row(f"status --no-registry -o json, {count}", [*ours, "-o", "json"], None, folder, env),
        Row(f"curl, both lists side by side, {count}", curls(api, namespace), None, folder, env),
        Row(f"kubectl get --raw, one after the other, {count}", shell(*[["kubectl", "get", "--raw", path] for path in lists]), None, folder, env),
        Row(f"flux get ks + flux get sources oci, {count}",
            shell(["flux", "-n", namespace, "get", "ks"], ["flux", "-n", namespace, "get", "sources", "oci"]), None, folder, env),
    )
    # One GET for each Kustomization, one after the other.
    once(Row(f"flux tree ks, {count}, one run", ["flux", "-n", namespace, "tree", "ks", "gke-inventory"], None, folder, env))
    if count == 1_000:
        digests(folder, env, env["RUNWAY_REGISTRY_BASE"], runs, ours, curls(api, namespace))


def digests(folder, env, base, runs, ours, floor):
    """With the registry's answers: a HEAD for each deploy tag, all of which name one small artifact."""
    host, path = base.split("/", 1)
    connection = http.client.HTTPConnection(host)
    def put(repository, body):
        connection.request("PUT", f"/v2/{repository}/manifests/production", body, {"Content-Type": "application/vnd.oci.image.manifest.v1+json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    # The smallest manifest, whose config and layer are the empty object: a blob of two bytes.
    empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                           "config": {"mediaType": "application/vnd.cncf.flux.config.v1+json", "digest": empty, "size": 2},
                           "layers": [{"mediaType": "application/vnd.cncf.flux.content.v1.tar+gzip", "digest": empty, "size": 2}]})
    names = [f"{path}/deployments/example-service-{n:06}-gke/deploy" for n in range(1_000)]
    for name in names:
        connection.request("POST", f"/v2/{name}/blobs/uploads/?digest={empty}", b"{}", {"Content-Type": "application/octet-stream"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 202:
            place = answer.getheader("Location")
            connection.request("PUT", place + ("&" if "?" in place else "?") + f"digest={empty}", b"{}", {"Content-Type": "application/octet-stream"})
            connection.getresponse().read()
        if put(name, manifest) != 201:
            sys.exit(f"{name}: the manifest is refused")
    config = folder / "heads"
    accept = 'header = "Accept: application/vnd.oci.image.manifest.v1+json"\nhead\nsilent\nparallel\nparallel-max = 32\n'
    config.write_text(accept + "".join(f'url = "http://{host}/v2/{name}/manifests/production"\noutput = "/dev/null"\n' for name in names))
    heads = ["curl", "-K", config]
    with_registry = [part for part in ours if part != "--no-registry"]
    measure(
        runs,
        # Exit 1: the registry has another digest than the one that the objects name.
        Row("status with 1000 registry digests", with_registry, None, folder, env, codes=(0, 1)),
        Row("status --no-registry, 1000 workloads, again", ours, None, folder, env),
        Row("curl --parallel, the same 1000 HEADs", heads, None, folder, env),
        Row("curl, both lists side by side, again", floor, None, folder, env),
    )


class Far:
    """Ports on loopback that lead to one API server, where every byte arrives half the delay later."""

    def __init__(self, target, count, delay):
        self.target, self.delay, self.ports = target, delay, []
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self.start(count), self.loop).result()

    async def start(self, count):
        for _ in range(count):
            server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=1 << 20)
            self.ports.append(server.sockets[0].getsockname()[1])

    async def serve(self, reader, writer):
        # The connection itself takes a round trip too.
        await asyncio.sleep(self.delay)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target, limit=1 << 20)
            await asyncio.gather(self.pump(reader, back), self.pump(there, writer))
        except OSError:
            writer.close()

    async def pump(self, reader, writer):
        queue = asyncio.Queue()
        async def write():
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0, due - self.loop.time()))
                if not data:
                    break
                writer.write(data)
                await writer.drain()
            writer.close()
        task = asyncio.ensure_future(write())
        while True:
            try:
                data = await reader.read(1 << 18)
            except OSError:
                data = b""
            queue.put_nowait((self.loop.time() + self.delay / 2, data))
            if not data:
                break
        await asyncio.gather(task, return_exceptions=True)


def many_clusters(api, root, base, runs):
    """1, 8 and 64 clusters with 20 workloads each, every one behind 50 ms. They share one API server and this machine's cores: what
    curl needs for the same lists over the same ways is the floor."""
    folder, one, namespace = scene(api, root, base, 20)
    far = Far(api.port, 64, 0.050)
    for count in (1, 8, 64):
        ports = {f"far-{n:02}": port for n, port in enumerate(far.ports[:count])}
        kubeconfig = api.write_kubeconfig(root / f"far-{count}", ports)
        env = {**one, "KUBECONFIG": str(kubeconfig)}
        command = [OURS, "status", "-e", "production", "--no-registry", "--all-contexts"]
        measure(
            runs,
            Row(f"status, {count} clusters with 50 ms of delay each", command, None, folder, env),
            Row(f"curl, the same {2 * count} lists at once", curls(api, namespace, ports.values()), None, folder, env),
        )
