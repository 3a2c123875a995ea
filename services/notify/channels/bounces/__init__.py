"""Mail that comes back: the address that it comes back to, what it says, and the box it lies in.

`path` writes and reads the return path, `reading` a mail of anybody's, `mailbox` speaks IMAP. What a
bounce does to a message is in `usecases/bouncing.py`.
"""

from services.notify.channels.bounces.mailbox import Away, Mail, Mailbox, parse_mailbox
from services.notify.channels.bounces.path import ReturnPath, return_path
from services.notify.channels.bounces.reading import Reader

__all__ = ["Away", "Mail", "Mailbox", "Reader", "ReturnPath", "parse_mailbox", "return_path"]
