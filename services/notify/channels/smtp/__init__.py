"""E-mail by SMTP: an honest answer for every letter, whatever the server does.

No smtplib: it cannot be asked whether it still waits, takes its time-outs for each byte anew, and
fails at a password with accents. `server` is where it goes, `wire` the bytes of one connection,
`session` what is said on it, `channel` the letters.
"""

from services.notify.channels.smtp.channel import SmtpChannel
from services.notify.channels.smtp.server import SmtpServer, parse_smtp_url
from services.notify.channels.smtp.session import Refusal, Times

__all__ = ["Refusal", "SmtpChannel", "SmtpServer", "Times", "parse_smtp_url"]
