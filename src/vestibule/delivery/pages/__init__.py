"""Settings: file delivery. Keys, addresses, OpenPGP, the log, and help for clients' programs."""

from vestibule.delivery.pages import certificate, hub, keys, log, networks, programs, trial

routes = [
    *hub.routes,
    *keys.routes,
    *networks.routes,
    *certificate.routes,
    *log.routes,
    *trial.routes,
    *programs.routes,
]
