"""What ships for tests: a city moved by hand, a broken line, a fresh memory.

Fakes with behaviour for clock and lines only; no stand-ins for our own code. The product never
imports from here.
"""
