"""The pure core of routing: a dossier's journey as values and functions.

Time is an argument; nothing here reads a clock, a file or a database.
"""
