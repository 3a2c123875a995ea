"""SMS by a gateway that speaks HTTP, as its owner describes it: no gateway has a preset here.

`described` is the file, `reading` what its answers and receipts mean, `channel` the letters.
"""

from services.notify.channels.http.channel import HttpChannel
from services.notify.channels.http.described import load

__all__ = ["HttpChannel", "load"]
