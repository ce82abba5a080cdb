"""What the benches share: the private network, started programs and their cost, the payload, medians.

Everything runs in network and process namespaces of its own, so nothing is reached outside and nothing outlives the
bench. Only Python's standard library.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICKS = os.sysconf('SC_CLK_TCK')
INSIDE = 'SWARMLAB_BENCH_INSIDE'
UNITS = {'B': 1, 'KiB': 1 << 10, 'MiB': 1 << 20, 'GiB': 1 << 30}
GIB = 1 << 30
MIB = 1 << 20


def size(text):
    """A size with its unit, as an argument type."""
    match = re.fullmatch(r'(\d+) ?(B|KiB|MiB|GiB)', text)
    if not match:
        raise argparse.ArgumentTypeError(f'{text!r} is not a size such as "256 KiB"')
    return int(match[1]) * UNITS[match[2]]


def enter_private_network():
    """Runs this script again inside its own namespaces, with every address of 198.18.0.0/15 on `lo`."""
    if INSIDE in os.environ:
        return
    user = [] if os.geteuid() == 0 else ['--user', '--map-current-user', '--keep-caps']
    set_up = 'ip link set lo up && ip addr add 10.99.0.1/16 dev lo && exec "$@"'
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    os.environ[INSIDE] = '1'
    sys.stdout.flush()
    os.execvp('unshare', ['unshare', *user, '--net', '--pid', '--fork', '--mount-proc', '--kill-child', 'sh', '-c', set_up,
                          'sh', sys.executable, *sys.argv])


def release_binary():
    """The optimised `swarmlab`, built if it is not."""
    subprocess.run(['cargo', 'build', '--release', '--quiet'], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get('CARGO_TARGET_DIR', ROOT / 'target'))
    return str(target / 'release' / 'swarmlab')


def libtorrent_python():
    """A Python with libtorrent 2.1: $LIBTORRENT_PYTHON, or a virtual environment made once under target/."""
    given = os.environ.get('LIBTORRENT_PYTHON')
    if given:
        return given
    folder = ROOT / 'target' / 'bench-venv'
    python = str(folder / 'bin' / 'python')
    check = [python, '-c', 'import libtorrent']
    if not os.path.exists(python) or subprocess.run(check, capture_output=True).returncode:
        print('making a virtual environment with libtorrent 2.1', file=sys.stderr)
        subprocess.run([sys.executable, '-m', 'venv', '--clear', str(folder)], check=True)
        subprocess.run([python, '-m', 'pip', 'install', '--quiet', 'libtorrent==2.1.*'], check=True)
        subprocess.run(check, check=True)
    return python


class Scratch:
    """A folder in memory (so that no disk is measured), gone at the end."""

    def __enter__(self):
        place = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
        self.path = pathlib.Path(tempfile.mkdtemp(prefix='swarmlab-bench-', dir=place))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def payload(folder, length):
    """A file of random bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / 'payload.bin'
    with open(path, 'wb') as out:
        for begin in range(0, length, 8 * MIB):
            out.write(os.urandom(min(8 * MIB, length - begin)))
    return path


class Program:
    """A started program, with the CPU time of it and of its children."""

    def __init__(self, argv, log):
        self.log = pathlib.Path(log)
        self.home = self.log.with_suffix('.home')
        self.home.mkdir()
        with open(log, 'wb') as out:
            self.process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env=dict(os.environ, HOME=str(self.home)))
        self.begin = time.monotonic()
        self.status = None
        self.seconds = 0.0

    def cpu(self):
        """User and system seconds so far."""
        if self.poll() is None:
            fields = open(f'/proc/{self.process.pid}/stat').read().rsplit(')', 1)[1].split()
            self.seconds = sum(map(int, fields[11:15])) / TICKS
        return self.seconds

    def poll(self):
        """The exit status, or None while it runs."""
        if self.status is None:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.status = self.process.returncode = os.waitstatus_to_exitcode(status)
                self.seconds = usage.ru_utime + usage.ru_stime
        return self.status

    def wait(self, limit):
        """Waits for its end, which must be good and within `limit` seconds."""
        while self.poll() is None:
            if time.monotonic() - self.begin > limit:
                raise RuntimeError(f'not done in {limit} s: {self.last_words()}')
            time.sleep(0.002)
        if self.status != 0:
            raise RuntimeError(f'exit status {self.status}: {self.last_words()}')

    def stop(self):
        """SIGTERM, and SIGKILL after five seconds."""
        for number, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            if self.poll() is None:
                os.kill(self.process.pid, number)
            end = time.monotonic() + patience
            while self.poll() is None and time.monotonic() < end:
                time.sleep(0.02)

    def last_words(self):
        return f'{self.process.args[0]}: ' + self.log.read_text(errors='replace')[-600:].strip()


def busy_cpu():
    """Busy CPU seconds of the whole machine."""
    fields = open('/proc/stat').readline().split()
    return sum(int(fields[i]) for i in (1, 2, 3, 6, 7)) / TICKS


def median_of(rows, key):
    """`median (least .. most)` of one column as text."""
    values = [row[key] for row in rows]
    return f'{statistics.median(values):.2f} ({min(values):.2f} .. {max(values):.2f})'


def table(header, rows):
    """Prints columns under their names, aligned."""
    rows = [header] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    for row in rows:
        print('  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
