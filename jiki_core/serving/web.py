"""`gunicorn -c python:jiki_core.serving.web wsgi:app`: REST, a few threads in each worker.

Command-line options win over what stands here; WEB_CONCURRENCY sets the number of workers.
"""

from __future__ import annotations

import os

from jiki_core.configuration import read_configuration
from jiki_core.serving.draining import post_worker_init
from jiki_core.serving.refusal import child_exit, worker_exit
from jiki_core.settings import ConfigurationError

__all__ = ["child_exit", "post_worker_init", "worker_exit"]  # hooks, by their names

bind = f"0.0.0.0:{os.environ.get('PORT', '3060')}"
worker_class = "gthread"
try:
    # A thread for each database connection: no request ever waits for one (architecture.md 3).
    threads = read_configuration().core.database_pool_size
except ConfigurationError:
    threads = 1  # the app itself refuses to start, and lists every mistake
raw_env = ["JIKI_ROLE=web"]

timeout = 60
graceful_timeout = 30
#: Longer than the load balancer keeps an idle connection, or it meets one that we just closed (trust.md 3.5).
keepalive = 130
#: The heartbeat file; on a disk a slow write would look like a hanging worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
#: The image's home is read-only, and nothing here uses it.
control_socket_disable = True
errorlog = "-"
loglevel = "warning"
