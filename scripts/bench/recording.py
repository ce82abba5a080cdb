#!/usr/bin/env python3
"""What recording costs a real transfer: a seed gives a file to a leech on loopback, with and without --trace.

Both take turns, so that they see the same machine; `scripts/bench/README.md` says how to read the table.
"""
import argparse
import json
import os
import statistics
import sys

from measure import MIB, Program, Scratch, payload, release_binary, size


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--size', type=size, default=512 * MIB, help='of the file (default: 512MiB)')
    parser.add_argument('--runs', type=int, default=9, help='of each kind (default: 9)')
    parser.add_argument('--leechers', type=int, default=1, help='of each swarm (default: 1)')
    parser.add_argument('--limit', type=float, default=120, help='seconds a run may take (default: 120)')
    parser.add_argument('--swarmlab', help='the program to measure (default: builds target/release/swarmlab)')
    return parser.parse_args()


def main():
    given = arguments()
    swarmlab = given.swarmlab or release_binary()
    rows, trace_bytes = {'without': [], 'with': []}, 0
    with Scratch() as scratch:
        path = payload(scratch / 'content', given.size)
        for run in range(given.runs):
            for kind in rows if run % 2 else reversed(rows):
                trace = scratch / 'run.swt'
                flags = ['--trace', trace] if kind == 'with' else []
                copies = scratch / f'{kind}-{run}'
                argv = [swarmlab, 'swarm', path, '--leechers', given.leechers, '-o', copies, '--json', '-q', *flags]
                program = Program(argv, scratch / f'{kind}-{run}.log')
                program.wait(given.limit)
                said = json.loads(program.log.read_text())
                assert said['complete'], said
                rows[kind].append((said['seconds'], program.seconds))
                if kind == 'with':
                    trace_bytes = os.path.getsize(trace)
                for leech in copies.iterdir():
                    for copy in leech.iterdir():
                        copy.unlink()
    blocks = given.leechers * given.size // 16384
    print(f"{'':8} {'median s':>9} {'least s':>8} {'median CPU s':>13} {'least CPU s':>12}")
    for kind, runs in rows.items():
        seconds, cpu = zip(*runs)
        print(f'{kind:8} {statistics.median(seconds):9.3f} {min(seconds):8.3f} {statistics.median(cpu):13.3f} {min(cpu):12.3f}')
    wall, cpu = ([b[at] / a[at] for a, b in zip(rows['without'], rows['with'])] for at in (0, 1))
    print(f'with / without, median of pairs: {statistics.median(wall):.3f} in time, {statistics.median(cpu):.3f} in CPU')
    print(f'{trace_bytes / blocks:.1f} bytes of trace for each of {blocks} blocks')


if __name__ == '__main__':
    sys.exit(main())
