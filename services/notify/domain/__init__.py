"""Pure rules of notify: who is told what and how, message states, template values; no I/O here."""
