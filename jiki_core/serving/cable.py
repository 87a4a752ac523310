"""`gunicorn -c python:jiki_core.serving.cable wsgi:app`: websockets on gevent, each worker thousands of them.

Never with --preload: locks made before the patch below would stay native.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

# ruff: noqa: E402 - nothing may be imported before the patch
import os

from jiki_core.configuration import read_configuration
from jiki_core.serving.draining import post_worker_init
from jiki_core.serving.refusal import child_exit, worker_exit
from jiki_core.settings import ConfigurationError

__all__ = ["child_exit", "post_worker_init", "worker_exit"]  # hooks, by their names

bind = f"0.0.0.0:{os.environ.get('PORT', '3060')}"
worker_class = "gevent"
try:
    # Room above the cable's own limit, so that the one too many is refused in the protocol's words.
    worker_connections = read_configuration().core.cable_max_connections + 100
except ConfigurationError:
    worker_connections = 100  # the app itself refuses to start, and lists every mistake
raw_env = ["JIKI_ROLE=cable"]
preload_app = False

timeout = 60
graceful_timeout = 25
#: Longer than the load balancer keeps an idle connection, or it meets one that we just closed (trust.md 3.5).
keepalive = 130
#: The heartbeat file; on a disk a slow write would look like a hanging worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
#: The image's home is read-only, and nothing here uses it.
control_socket_disable = True
errorlog = "-"
loglevel = "warning"
