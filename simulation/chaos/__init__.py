"""`lienthong chaos`: the real three services on PostgreSQL and RabbitMQ, and a driver that spares nothing.

Read first: plan.py (what is done, all of it by the seed), run.py (its way from start to end) and
verdict.py (what must hold, told from the peers' own logs). Processes are killed, hosts fall silent,
a mail server has its tempers, agencies and callers are rude. Must not: look into a database; what
is known here was told by a door, a command of the operators, or a peer.
"""
