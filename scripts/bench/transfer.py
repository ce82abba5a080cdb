#!/usr/bin/env python3
"""One seed gives a file to one leech over loopback: ours beside libtorrent 2.1, aria2 and Transmission.

The pairs take turns, so that all see the same machine; `scripts/bench/README.md` says how to read the table.
"""
import argparse
import filecmp
import hashlib
import json
import os
import shutil
import statistics
import sys
import time
import urllib.parse
import urllib.request

from measure import (GIB, MIB, Program, Scratch, busy_cpu, enter_private_network, libtorrent_python, median_of, payload,
                     release_binary, size, table)
from peers import Peer, available, version

TRACKER = '10.99.1.1:6969'
SEED, LEECH = '10.99.1.2', '10.99.1.3'


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--pairs', default='swarmlab,libtorrent,aria2,transmission',
                        help='comma-separated CLIENT or SEED:LEECH (default: %(default)s)')
    parser.add_argument('--size', type=size, default=2 * GIB, help='of the file (default: 2GiB)')
    parser.add_argument('--slow-size', type=size, default=64 * MIB,
                        help='where Transmission is the seed: it gives one peer some 8 MiB/s (default: 64MiB)')
    parser.add_argument('--piece', type=size, default=256 << 10, help='piece length (default: 256KiB)')
    parser.add_argument('--runs', type=int, default=3, help='of each pair (default: 3)')
    parser.add_argument('--limit', type=float, default=120, help='seconds a transfer may take (default: 120)')
    parser.add_argument('--swarmlab', help='the program to measure (default: builds target/release/swarmlab)')
    parser.add_argument('--json', help='append a line per run to this file')
    return parser.parse_args()


def main():
    given = arguments()
    pairs = [tuple((pair + ':' + pair).split(':')[:2]) for pair in given.pairs.split(',')]
    wanted = {client for pair in pairs for client in pair}
    # Before the private network, which reaches no registry.
    if 'SWARMLAB_BENCH_PROGRAMS' not in os.environ:
        programs = {'swarmlab': given.swarmlab or release_binary()}
        if 'libtorrent' in wanted:
            programs['libtorrent'] = libtorrent_python()
        os.environ['SWARMLAB_BENCH_PROGRAMS'] = json.dumps(programs)
    enter_private_network()
    programs = json.loads(os.environ['SWARMLAB_BENCH_PROGRAMS'])
    for client in sorted(wanted):
        print(version(client, programs) if available(client, programs) else f'LEFT OUT: {client} is not installed')
    pairs = [pair for pair in pairs if all(available(client, programs) for client in pair)]
    rows, failures = measure(given, pairs, programs)
    report(given, pairs, rows)
    return 1 if failures else 0


def measure(given, pairs, programs):
    rows, failures = {pair: [] for pair in pairs}, 0
    with Scratch() as scratch:
        contents = {}
        for length in {length_for(given, pair) for pair in pairs}:
            path = payload(scratch / str(length), length)
            torrent = path.with_suffix('.torrent')
            Program([programs['swarmlab'], 'create', path, '-o', torrent, '-a', f'http://{TRACKER}/announce', '-l', given.piece],
                    scratch / f'create-{length}.log').wait(60)
            contents[length] = path, torrent
        for run in range(given.runs):
            for pair in pairs:
                length = length_for(given, pair)
                try:
                    row = transfer(pair, *contents[length], scratch / 'run', given.limit, programs)
                except RuntimeError as error:
                    failures += 1
                    print(f'{"->".join(pair)}: run {run + 1} failed: {error}', file=sys.stderr)
                    continue
                finally:
                    shutil.rmtree(scratch / 'run', ignore_errors=True)
                rows[pair].append(row)
                if given.json:
                    with open(given.json, 'a') as out:
                        out.write(json.dumps(dict(row, seed=pair[0], leech=pair[1], size=length, piece=given.piece)) + '\n')
    return rows, failures


def length_for(given, pair):
    return min(given.size, given.slow_size) if pair[0] == 'transmission' else given.size


def transfer(pair, path, torrent, folder, limit, programs):
    """One transfer: its rate and what it cost."""
    folder.mkdir()
    running = [Program([programs['swarmlab'], 'tracker', '--listen', TRACKER], folder / 'tracker.log')]
    try:
        await_(lambda: seeds(torrent) is not None, 10, running[0])
        seed = Peer(pair[0], 'seed', torrent, path.parent, SEED, folder / 'seed', programs)
        running.append(seed)
        await_(lambda: (seeds(torrent) or 0) > 0, 60, seed)
        await_idle(seed)
        received = folder / 'received'
        received.mkdir()
        seed_before, machine_before, wire_before = seed.cpu(), busy_cpu(), wire_bytes()
        own_before = sum(os.times()[:2])
        leech = Peer(pair[1], 'leech', torrent, received, LEECH, folder / 'leech', programs)
        running.append(leech)
        first = None
        while not leech.complete():
            time.sleep(0.01)
            leech.cpu()
            now = time.monotonic()
            if first is None and wire_bytes() - wire_before > MIB:
                first = now
            if now - leech.begin > limit:
                raise RuntimeError(f'not done in {limit} s: {leech.last_words()}')
        end = time.monotonic()
        seed_cpu, leech_cpu = seed.cpu() - seed_before, leech.cpu()
        others = busy_cpu() - machine_before - (sum(os.times()[:2]) - own_before) - seed_cpu - leech_cpu
        leech.stop()
        if not filecmp.cmp(path, received / path.name, shallow=False):
            raise RuntimeError('the received file differs')
    finally:
        for program in reversed(running):
            program.stop()
    gib = path.stat().st_size / GIB
    first = first or leech.begin
    return {'rate': gib * 1024 / (end - first), 'start': first - leech.begin, 'total': end - leech.begin,
            'seed_cpu': seed_cpu / gib, 'leech_cpu': leech_cpu / gib, 'cpu': (seed_cpu + leech_cpu) / gib,
            'others': others / (end - leech.begin)}


def await_(condition, limit, program):
    end = time.monotonic() + limit
    while not condition():
        if program.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f'did not come up: {program.last_words()}')
        time.sleep(0.05)


def await_idle(program):
    """Until it has used no CPU for half a second: a seed may still be at its check."""
    before, calm = program.cpu(), 0
    while calm < 5:
        time.sleep(0.1)
        now = program.cpu()
        calm, before = (calm + 1 if now - before <= 0.01 else 0), now


def seeds(torrent):
    """How many seeds the tracker counts; None while it does not answer."""
    info = torrent.read_bytes()
    info = info[info.index(b'4:info') + 6:-1]
    digest = urllib.parse.quote_from_bytes(hashlib.sha1(info).digest(), safe='')
    try:
        reply = urllib.request.urlopen(f'http://{TRACKER}/scrape?info_hash={digest}', timeout=2).read()
    except OSError:
        return None
    key = b'8:completei'
    at = reply.find(key)
    return int(reply[at + len(key):reply.index(b'e', at + len(key))]) if at >= 0 else 0


def wire_bytes():
    """Bytes over `lo` so far."""
    for line in open('/proc/net/dev'):
        if line.lstrip().startswith('lo:'):
            return int(line.split(':')[1].split()[0])
    raise RuntimeError('no loopback interface')


def report(given, pairs, rows):
    print(f'\n{given.size // MIB} MiB (from Transmission {min(given.size, given.slow_size) // MIB} MiB), pieces of {given.piece >> 10} KiB, '
          f'{given.runs} runs in turn: median (least .. most); every file compared')
    reference = rows.get(('libtorrent', 'libtorrent'))

    def ratio(pair, key):
        if not reference or not rows[pair]:
            return '-'
        return f'{statistics.median(r[key] for r in rows[pair]) / statistics.median(r[key] for r in reference):.2f}'

    lines = []
    for pair in pairs:
        good = rows[pair]
        name = f'{pair[0]} -> {pair[1]}'
        if not good:
            lines.append([name, 'failed'] + [''] * 8)
            continue
        lines.append([name, f'{len(good)}/{given.runs}'] + [median_of(good, key) for key in ('rate', 'start', 'seed_cpu', 'leech_cpu', 'cpu')]
                     + [ratio(pair, 'rate'), ratio(pair, 'cpu'), median_of(good, 'others')])
    table(['seed -> leech', 'runs', 'MiB/s', 'start s', 'seed CPU s/GiB', 'leech CPU s/GiB', 'sum CPU s/GiB', 'rate / libtorrent',
           'CPU / libtorrent', 'other cores'], lines)


if __name__ == '__main__':
    sys.exit(main())
