"""The core's commands: `flask db`, `plugins`, `config`, `jobs`, `policies` and `seed`."""
