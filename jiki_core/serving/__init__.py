"""gunicorn's configurations for the two kinds of server, used in production and by `bin/dev` alike."""
