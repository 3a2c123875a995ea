"""SMS by SMPP 3.4: an honest answer for every letter, whatever the SMSC does.

No `smpplib.Client`: it waits where it reads, and answers a receipt before anybody has kept it.
`server` is where it goes, `texts` the bytes of a text, `pdus` what is said, `line` one connection
with its reader, `opening` how it comes to be, `channel` the letters.
"""

from services.notify.channels.smpp.channel import SmppChannel
from services.notify.channels.smpp.line import Broken, Times
from services.notify.channels.smpp.server import SmppServer, parse_smpp_url

__all__ = ["Broken", "SmppChannel", "SmppServer", "Times", "parse_smpp_url"]
