"""`./run bench intake`: the desk's doors over HTTP, on PostgreSQL, with sixteen clients.

`minimal` is what they are held against: Flask, marshmallow and one insert, under the same server.
"""
