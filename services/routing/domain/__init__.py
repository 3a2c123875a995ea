"""The pure core of routing: a dossier's journey as values and functions.

Functions take a case, an event and the circumstances, and decide. Time is an argument; nothing here
reads a clock, a file or a database.
"""
