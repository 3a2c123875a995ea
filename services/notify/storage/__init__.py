"""Notify's own tables: cases, contacts, messages; written in bulk at flush."""
