"""Pure rules of notify: moments, recipients, message states, template values; no I/O here."""
