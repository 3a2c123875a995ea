"""A bad day for an agency's program, in whatever language: played on a real broker, judged by its answers.

`peer.py` is the city's side, `consumer.py` the program under trial, `day.py` what happens to it, `report.py` the
certificate. Must not: know how the program works inside.
"""
