"""What several measures stand on: a platform repository, and the test bed's registry."""

import json
import os
import pathlib
import re
import sys


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
