"""The acts of learning: the only writers of its tables. One public function per act; the first argument is the unit of work."""
