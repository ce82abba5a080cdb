"""A libtorrent peer: libtorrent_peer.py seed|leech TORRENT FOLDER IP PORT DONE SETTINGS

FOLDER is where the payload lies or goes; a leech creates the file DONE when it is complete. SETTINGS is a JSON object of
session settings. Stays until SIGTERM. TCP only and nothing but the tracker to find peers.
"""
import json
import signal
import sys
import time

import libtorrent

role, torrent, folder, ip, port, done, settings = sys.argv[1:8]
leaving = []
signal.signal(signal.SIGTERM, lambda *_: leaving.append(True))

session = libtorrent.session({
    'listen_interfaces': f'{ip}:{port}', 'outgoing_interfaces': ip,
    'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'enable_incoming_utp': False, 'enable_outgoing_utp': False,
    'alert_mask': libtorrent.alert.category_t.error_notification | libtorrent.alert.category_t.status_notification,
    **json.loads(settings),
})
params = libtorrent.add_torrent_params()
params.ti = libtorrent.torrent_info(torrent)
params.save_path = folder
params.flags &= ~(libtorrent.torrent_flags.auto_managed | libtorrent.torrent_flags.paused)
handle = session.add_torrent(params)

complete = role == 'seed'
while not leaving:
    for alert in session.pop_alerts():
        print(type(alert).__name__, alert.message(), flush=True)
        if isinstance(alert, libtorrent.torrent_finished_alert) and not complete:
            complete = True
            open(done, 'w').close()
    time.sleep(0.05)  # not wait_for_alert: it can crash in the binding of 2.0.8
del handle
del session  # says `stopped` to the tracker
