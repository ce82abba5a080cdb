"""A libtorrent peer: libtorrent_peer.py TORRENT FOLDER IP PORT SETTINGS

FOLDER is where the content lies or goes. SETTINGS is a JSON object of session settings. Says `ready`, waits for a line on
standard input, and begins. Then writes a line of JSON each second and when it is complete. Stays until SIGTERM. TCP only and
nothing but the tracker to find peers; no plugins, so no peer exchange.
"""
import json
import os
import signal
import sys
import time

import libtorrent

torrent, folder, ip, port, settings = sys.argv[1:6]
leaving = []
signal.signal(signal.SIGTERM, lambda *_: leaving.append(True))

session = libtorrent.session({
    'listen_interfaces': f'{ip}:{port}', 'outgoing_interfaces': ip,
    'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'enable_incoming_utp': False, 'enable_outgoing_utp': False,
    'in_enc_policy': 2, 'out_enc_policy': 2,  # pe_disabled
    'stop_tracker_timeout': 1,
    'alert_mask': libtorrent.alert.category_t.error_notification | libtorrent.alert.category_t.status_notification,
    **json.loads(settings),
}, 0)
params = libtorrent.add_torrent_params()
params.ti = libtorrent.torrent_info(torrent)
params.save_path = folder
params.flags &= ~(libtorrent.torrent_flags.auto_managed | libtorrent.torrent_flags.paused)

print('ready', flush=True)
sys.stdin.readline()
start = time.time()
handle = session.add_torrent(params)
completed = None


def tell(now):
    status = handle.status()
    wasted = status.total_redundant_bytes + status.total_failed_bytes
    print(json.dumps({
        'unix_ms': int(now * 1000), 'elapsed_ms': int((now - start) * 1000),
        'completed_after_ms': None if completed is None else int((completed - start) * 1000),
        'uploaded': status.total_payload_upload, 'downloaded': status.total_payload_download, 'wasted': wasted,
    }), flush=True)


following = start
while not leaving:
    now = time.time()
    before = completed
    for alert in session.pop_alerts():
        if isinstance(alert, libtorrent.torrent_finished_alert) and completed is None:
            completed = now
        if alert.category() & libtorrent.alert.category_t.error_notification:
            print(type(alert).__name__, alert.message(), file=sys.stderr, flush=True)
    if now >= following or completed != before:
        tell(now)
        following = max(following, now - 1) + 1
    time.sleep(0.02)  # not wait_for_alert: it can crash in the binding of 2.0.8
tell(time.time())
del handle
del session  # says `stopped` to the tracker
os._exit(0)
