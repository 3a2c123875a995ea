"""The loops that carry facts: relay, consumer, ticker, and what runs them.

No word of any service's business belongs here; services hand their handlers in.
"""
