#!/usr/bin/env python3
"""Making a torrent of a file in memory: ours beside mktorrent and transmission-create, and the raw SHA-1 rate.

The programs take turns, so that all see the same machine; `scripts/bench/README.md` says how to read the table.
"""
import argparse
import hashlib
import os
import shutil
import statistics
import sys
import time

from measure import GIB, MIB, Program, Scratch, median_of, payload, release_binary, size, table


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--size', type=size, default=2 * GIB, help='of the file (default: 2GiB)')
    parser.add_argument('--piece', type=size, default=256 << 10, help='piece length (default: 256KiB)')
    parser.add_argument('--runs', type=int, default=5, help='of each program (default: 5)')
    parser.add_argument('--limit', type=float, default=120, help='seconds a run may take (default: 120)')
    parser.add_argument('--swarmlab', help='the program to measure (default: builds target/release/swarmlab)')
    return parser.parse_args()


def main():
    given = arguments()
    swarmlab = given.swarmlab or release_binary()
    cores = len(os.sched_getaffinity(0))
    power, kib = str(given.piece.bit_length() - 1), str(given.piece >> 10)
    url = 'http://198.18.0.1:6969/announce'
    programs = {}
    for threads in sorted({1, cores}):
        ours = [swarmlab, 'create', '-a', url, '-l', given.piece, '-j', threads, '-o']
        programs[f'swarmlab -j{threads}'] = ours
        programs[f'mktorrent -t{threads}'] = ['mktorrent', '-a', url, '-l', power, '-t', threads, '-o']
    programs['transmission-create'] = ['transmission-create', '-t', url, '-s', kib, '-o']
    for name in [name for name, argv in programs.items() if not shutil.which(argv[0])]:
        print(f'LEFT OUT: {name} is not installed')
        del programs[name]
    rows, raw, good = {name: [] for name in programs}, [], True
    with Scratch() as scratch:
        path = payload(scratch / 'content', given.size)
        hashes = piece_hashes(path, given.piece)
        gib = given.size / GIB
        for run in range(given.runs):
            raw.append(raw_sha1(given.piece))
            for name, argv in programs.items():
                out = scratch / f'{run}.torrent'
                program = Program([*argv, out, path], scratch / f'{run}.log')
                program.wait(given.limit)
                wall = time.monotonic() - program.begin
                rows[name].append({'rate': gib / wall, 'cpu': program.cpu() / gib})
                if hashes not in out.read_bytes():
                    good = False
                    print(f'{name}: WRONG piece hashes')
                out.unlink()
                program.log.unlink()
                program.home.rmdir()
    print(f'\n{given.size // MIB} MiB in memory, pieces of {given.piece >> 10} KiB, {given.runs} runs in turn: median (least .. most)')
    raw_rate = statistics.median(raw)
    print(f'raw SHA-1, one core, OpenSSL: {raw_rate:.2f} GiB/s ({min(raw):.2f} .. {max(raw):.2f}) = {1 / raw_rate:.2f} CPU s/GiB')
    lines = []
    for name, runs in rows.items():
        threads = int(name.rsplit(' -', 1)[1][1:]) if ' -' in name else 1
        per_core = statistics.median(row['rate'] for row in runs) / threads / raw_rate
        of_cpu = 1 / statistics.median(row['cpu'] for row in runs) / raw_rate
        lines.append([name, median_of(runs, 'rate'), median_of(runs, 'cpu'), f'{per_core:.2f}', f'{of_cpu:.2f}'])
    table(['program', 'GiB/s', 'CPU s/GiB', 'rate per thread / raw', 'rate per CPU second / raw'], lines)
    return 0 if good else 1


def piece_hashes(path, piece):
    """The `pieces` string that every program must write."""
    with open(path, 'rb') as file:
        return b''.join(hashlib.sha1(bytes_).digest() for bytes_ in iter(lambda: file.read(piece), b''))


def raw_sha1(piece):
    """GiB per second of CPU time of SHA-1 over one buffer in cache."""
    buffer, count = os.urandom(piece), max(1, 512 * MIB // piece)
    begin = time.process_time()
    for _ in range(count):
        hashlib.sha1(buffer).digest()
    return count * piece / GIB / (time.process_time() - begin)


if __name__ == '__main__':
    sys.exit(main())
