"""Measures commands that take turns: wall time, and the largest resident memory."""

import os
import pathlib
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
        code = child.wait()
        self.walls.append(time.perf_counter() - begin)
        if code not in self.codes:
            sys.exit(f"{' '.join(self.command)}: exit {code}\n{said.decode()}")

    def weigh(self):
        """Runs it once more below /usr/bin/time. What Python starts itself would count Python's own memory until the exec as its own."""
        if self.before:
            self.before()
        with tempfile.NamedTemporaryFile("r") as told:
            command = ["/usr/bin/time", "-q", "-f", "%M", "-o", told.name, *self.command]
            begin = time.perf_counter()
            subprocess.run(command, cwd=self.cwd, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if not self.walls:
                self.walls.append(time.perf_counter() - begin)
            self.memory = max(self.memory, int(told.read().split()[-1]))

    def show(self):
        ms = [1000 * wall for wall in self.walls]
        print(f"{self.name:<58} {statistics.median(ms):>9.1f} ms  ({min(ms):.1f}-{max(ms):.1f})  {self.memory / 1024:>7.1f} MiB", flush=True)


def once(row):
    """For what takes minutes: one run, which gives both numbers."""
    row.weigh()
    row.show()


def measure(runs, *rows):
    """Runs the rows in turns; the first round warms caches and does not count."""
    for row in rows:
        row.run()
        row.walls.clear()
    for _ in range(runs):
        for row in rows:
            row.run()
    for row in rows:
        row.weigh()
        row.show()
