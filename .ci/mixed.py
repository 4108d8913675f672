#!/usr/bin/env python3
"""Time a swarm in which members of Orchestra and other BitTorrent programs get one file.

    SWARM=path/to/swarm.py .ci/mixed.py orchestra/aria2,qbittorrent,orchestra*6 --rate 40 --size 64

Each argument is a swarm: who has the file, a slash, and who gets it, in the order of their start.
The hosts, the links and the options are those of the swarm benchmark, which SWARM names; -n is how
many get the file and not given here. All get the same torrent, made by ORCHESTRA from its .orch,
and its conductor is the tracker. Printed are the times of each program, as multiples of one HTTP
copy. It takes root and the programs.
"""

import importlib.util
import os
import sys

path = os.environ.get("SWARM", "../shared/bench/swarm.py")
spec = importlib.util.spec_from_file_location("swarm", path)
swarm = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
spec.loader.exec_module(swarm)

KINDS = {k: getattr(swarm, k) for k in ("aria2", "transmission", "qbittorrent", "orchestra")}


def hosts(text):
    """The program of each host: the first has the file."""
    seeder, _, rest = text.partition("/")
    out = [seeder]
    for item in rest.split(","):
        kind, _, times = item.partition("*")
        out += [kind] * int(times or 1)
    if unknown := set(out) - KINDS.keys():
        sys.exit(f"{text}: unknown programs: {', '.join(sorted(unknown))}")
    return out


def mixed(plan):
    """A class of swarm.py whose hosts run different programs."""

    class Mixed(swarm.orchestra):
        last = None  # the newest run of this plan

        def prepare(self):
            super().prepare()
            self.times = {}  # by program and host
            orch = self.torrent
            torrent = os.path.join(self.work, "f.torrent")
            swarm.sh(f"rm -f {torrent} && {self.bin} export --output {torrent} {orch}")
            self.programs = [KINDS[k](self.lab, self.work, self.file, self.part) for k in plan]
            for kind, p in zip(plan, self.programs):
                p.torrent = orch if kind == "orchestra" else torrent
            Mixed.last = self

        def launch(self, i):
            self.programs[i].launch(i)

        def done(self, i, start):
            took = self.programs[i].done(i, start)
            if took is not None:
                self.times.setdefault(plan[i], {})[i] = took
            return took

    return Mixed


def main():
    plans = [a for a in sys.argv[1:] if "/" in a and a.split("/")[0] in KINDS]
    options = [a for a in sys.argv[1:] if a not in plans]
    if not plans:
        sys.exit(__doc__)
    for text in plans:
        plan = hosts(text)
        cls = mixed(plan)
        swarm.mixed = cls
        sys.argv = [path, "mixed", "-n", str(len(plan) - 1), *options]
        print(f"== {text}", flush=True)
        bound = []
        copy = swarm.http_copy
        swarm.http_copy = lambda *a: bound.append(copy(*a)) or bound[-1]
        try:
            swarm.main()
        finally:
            swarm.http_copy = copy
            if cls.last and bound:
                for kind, times in sorted(cls.last.times.items()):
                    took = " ".join(f"{t / bound[-1]:.2f}" for t in sorted(times.values()))
                    print(f"   {kind}: {took}", flush=True)


main()
