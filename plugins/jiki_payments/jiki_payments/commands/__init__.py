"""What payments does: one public function per act. The only code that writes its tables."""
