"""The rules: one public function per act."""
