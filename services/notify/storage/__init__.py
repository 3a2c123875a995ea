"""Notify's own tables: cases, contacts, messages; repositories write them in bulk at flush."""
