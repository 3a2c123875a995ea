"""The public contract: envelope, facts, names on the wire.  Pure; knows no broker and no database."""
