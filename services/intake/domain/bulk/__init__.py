"""A file of many submissions: its columns, and its rows as commands."""
