#!/usr/bin/env python3
"""Announces per second and their cost: our tracker beside opentracker, in turn, on loopback.

close      a connection for each announce
keepalive  64 connections that stay (opentracker has no keep-alive and is left out)
fill       500,000 peers announce once; resident memory before and after

The load comes from one thread (`crates/net/examples/announce_load.rs`): where that is busy all the time, the rate is its
own limit, and the CPU time of the tracker for each announce is the number to compare. The aim: no fewer announces per second
with keep-alive than opentracker answers without, and at most twice its CPU time with a connection for each.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

from measure import ROOT, Program, Scratch, busy_cpu, enter_private_network, median_of, release_binary, table

HOST = '127.0.0.1'
PORT = 6969
TORRENTS = 1000
FILL = 500_000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--modes', default='close,keepalive,fill', help='comma-separated (default: all)')
    parser.add_argument('--runs', type=int, default=3, help='of each tracker (default: 3)')
    parser.add_argument('--seconds', type=int, default=5, help='of load in a run (default: 5)')
    parser.add_argument('--peers', type=int, default=100_000, help='different peers (default: 100000)')
    parser.add_argument('--swarmlab', help='the program to measure (default: builds target/release/swarmlab)')
    parser.add_argument('--opentracker', default='opentracker', help='the program to compare with')
    return parser.parse_args()


def main():
    given = arguments()
    if 'SWARMLAB_BENCH_LOAD' not in os.environ:
        subprocess.run(['cargo', 'build', '--release', '--quiet', '-p', 'swarmlab-net', '--example', 'announce_load'],
                       cwd=ROOT, check=True)
        target = os.environ.get('CARGO_TARGET_DIR', str(ROOT / 'target'))
        os.environ['SWARMLAB_BENCH_LOAD'] = os.path.join(target, 'release', 'examples', 'announce_load')
        if not given.swarmlab:
            sys.argv += ['--swarmlab', release_binary()]
    enter_private_network()
    # Connections by the ten thousand need more than the usual 28,000 local ports.
    with open('/proc/sys/net/ipv4/ip_local_port_range', 'w') as ports:
        ports.write('1024 65535')
    trackers = ['swarmlab', 'opentracker']
    if not shutil.which(given.opentracker):
        print('LEFT OUT: opentracker is not installed')
        trackers.remove('opentracker')
    good = True
    for mode in given.modes.split(','):
        rows = {name: [] for name in trackers if not (mode == 'keepalive' and name == 'opentracker')}
        for run in range(given.runs):
            for name in rows:
                with Scratch() as folder:
                    rows[name].append(measure(name, mode, given, folder))
        good &= not any(row['bad'] for runs in rows.values() for row in runs)
        report(mode, rows)
    return 0 if good else 1


def start(name, given, folder):
    """Starts a tracker that serves the torrents of the load."""
    if name == 'swarmlab':
        tracker = Program([given.swarmlab, 'tracker', '--listen', f'{HOST}:{PORT}'], folder / 'log')
    else:
        # Debian builds it with a whitelist; started by root it insists on another user, who must get at its files.
        folder.chmod(0o755)
        (folder / 'list').write_text(''.join(f'{number:020}'.encode().hex() + '\n' for number in range(TORRENTS)))
        user = ['-u', 'nobody'] if os.geteuid() == 0 else []
        tracker = Program([given.opentracker, '-i', HOST, '-p', PORT, '-P', PORT, '-d', folder, *user, '-w', 'list'],
                          folder / 'log')
    end = time.monotonic() + 10
    while True:
        try:
            urllib.request.urlopen(f'http://{HOST}:{PORT}/stats', timeout=1).read()
            return tracker
        except urllib.error.HTTPError:
            return tracker
        except OSError:
            if tracker.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f'{name} does not answer: {tracker.last_words()}')
            time.sleep(0.01)


def load(mode, peers, seconds, *more):
    """Runs the load to its end and gives what it prints."""
    words = [os.environ['SWARMLAB_BENCH_LOAD'], mode, f'{HOST}:{PORT}', peers, seconds, *more]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True, timeout=seconds + 60)
    return json.loads(done.stdout)


def measure(name, mode, given, folder):
    tracker = start(name, given, folder)
    try:
        fill = mode == 'fill'
        if not fill:
            load(mode, given.peers, 1)
        before = (tracker.cpu(), resident(tracker), busy_cpu(), sum(os.times()[2:4]))
        begin = time.monotonic()
        row = load('close', FILL, 120, 'once') if fill else load(mode, given.peers, given.seconds)
        wall = time.monotonic() - begin
        cpu, of_load = tracker.cpu() - before[0], sum(os.times()[2:4]) - before[3]
        row['rate'] = row['announces'] / row['seconds'] / 1000
        row['cpu_us'] = cpu / row['announces'] * 1e6
        row['load'] = of_load / wall
        row['others'] = (busy_cpu() - before[2] - cpu - of_load) / wall
        row['bytes_per_peer'] = (resident(tracker) - before[1]) / row['announces']
        return row
    finally:
        tracker.stop()


def resident(tracker):
    """Resident memory in bytes."""
    with open(f'/proc/{tracker.process.pid}/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS')) * 1024


def report(mode, rows):
    what = {'close': 'a connection for each announce', 'keepalive': '64 connections that stay',
            'fill': f'{FILL} peers announce once, a connection for each'}[mode]
    print(f'\n{mode}: {what}; median (least .. most)')
    columns = ['rate', 'cpu_us', 'p50_us', 'p99_us', 'peers_per_answer', 'load', 'others']
    header = ['tracker', '1000 announces/s', 'CPU us each', 'p50 us', 'p99 us', 'peers told', 'load cores', 'other cores']
    if mode == 'fill':
        columns.append('bytes_per_peer')
        header.append('bytes per peer')
    lines = [[name, *(median_of(runs, key) for key in columns)] for name, runs in rows.items()]
    table(header, lines)
    bad = {name: sum(row['bad'] for row in runs) for name, runs in rows.items()}
    for name, number in bad.items():
        if number:
            print(f'{name}: {number} announces WITHOUT a good answer')


if __name__ == '__main__':
    sys.exit(main())
