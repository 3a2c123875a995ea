"""The consumer: each fact applied exactly once in effect, in the order in which it was made.

`loop.py` takes deliveries and due rows, `batch.py` is one transaction over some of them,
`model.py` has the words. What a fact means is in the handlers that a service hands in.
"""

from shared.messaging.consumer.loop import Consumer
from shared.messaging.consumer.model import ANY, Handler, Late, Rejected, UnknownSender, Verify

__all__ = ["ANY", "Consumer", "Handler", "Late", "Rejected", "UnknownSender", "Verify"]
