"""The rules of i18n: one public function per act."""
