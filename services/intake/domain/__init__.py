"""What a dossier may do at the desk: pure functions and frozen dataclasses, no I/O, no clock."""
