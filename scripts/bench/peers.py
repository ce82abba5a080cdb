"""How each client is started as a seed and as a leech, and how one sees that a leech is complete."""
import json
import shutil
import subprocess

from measure import ROOT, Program

LIBTORRENT_PEER = ROOT / 'crates/cli/tests/interop/libtorrent_peer.py'
PORT = 6881


class Peer(Program):
    """A running client. `role` is `seed` or `leech`; `folder` is where the payload lies or goes."""

    def __init__(self, client, role, torrent, folder, address, state, programs):
        state.mkdir()
        self.folder, self.done, self.state = folder, state / 'done', state
        self.leaves_when_done = client == 'swarmlab'
        hook = state / 'hook'
        hook.write_text(f"#!/bin/sh\n: > '{self.done}'\n")
        hook.chmod(0o755)
        self.hook, self.role, self.torrent, self.address, self.programs = hook, role, torrent, address, programs
        super().__init__(getattr(self, client)(), state / 'log')

    def complete(self):
        """Whether this leech has everything; an early end is an error."""
        status = self.poll()
        if status is None or (status == 0 and self.leaves_when_done):
            return status == 0 or self.done.exists()
        raise RuntimeError(f'{self.role} ended with {status}: {self.last_words()}')

    def swarmlab(self):
        listen = ['--listen', f'{self.address}:{PORT}']
        if self.role == 'seed':
            return [self.programs['swarmlab'], 'seed', self.torrent, self.folder / 'payload.bin', *listen]
        return [self.programs['swarmlab'], 'download', self.torrent, '-o', self.folder, *listen]

    def libtorrent(self):
        plain = json.dumps({'in_enc_policy': 2, 'out_enc_policy': 2})
        return [self.programs['libtorrent'], LIBTORRENT_PEER, self.role, self.torrent, self.folder, self.address, PORT,
                self.done, plain]

    def aria2(self):
        argv = ['aria2c', '--no-conf', '--disable-ipv6', '--enable-dht=false', '--bt-enable-lpd=false',
                '--enable-peer-exchange=false', '--enable-rpc=false', '--summary-interval=0', '--show-console-readout=false',
                '--file-allocation=none', '--seed-ratio=0', f'--interface={self.address}', f'--listen-port={PORT}',
                f'--dir={self.folder}', f'--torrent-file={self.torrent}']
        return argv + (['--check-integrity=true'] if self.role == 'seed' else [f'--on-bt-download-complete={self.hook}'])

    def transmission(self):
        settings = {
            'bind-address-ipv4': self.address, 'bind-address-ipv6': '::1', 'peer-port': PORT, 'encryption': 0,
            'port-forwarding-enabled': False, 'dht-enabled': False, 'lpd-enabled': False, 'pex-enabled': False,
            'utp-enabled': False, 'rpc-enabled': False, 'download-dir': str(self.folder), 'rename-partial-files': False,
            'script-torrent-done-enabled': True, 'script-torrent-done-filename': str(self.hook), 'message-level': 1,
        }
        (self.state / 'torrents').mkdir()
        shutil.copy(self.torrent, self.state / 'torrents')
        (self.state / 'settings.json').write_text(json.dumps(settings))
        return ['transmission-daemon', '--foreground', '--config-dir', self.state]


def available(client, programs):
    """Whether the client can be run here."""
    if client in programs:
        return True
    return shutil.which({'aria2': 'aria2c', 'transmission': 'transmission-daemon'}.get(client, client)) is not None


def version(client, programs):
    """What the client calls itself."""
    argv = {
        'swarmlab': [programs['swarmlab'], '--version'],
        'libtorrent': [programs.get('libtorrent'), '-c', 'import libtorrent; print("libtorrent", libtorrent.__version__)'],
        'aria2': ['aria2c', '--version'],
        'transmission': ['transmission-daemon', '--version'],
    }[client]
    said = subprocess.run(argv, capture_output=True, text=True)
    return (said.stdout or said.stderr).splitlines()[0]
