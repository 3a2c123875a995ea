"""Notify: tells citizens what happens to their dossiers; never decides anything about a dossier."""
