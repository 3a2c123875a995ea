"""The bare pipeline: what the same job costs at the least on this machine.

Hand-written psycopg and pika, no framework, no validation, no logging, no metrics, no timeline.
The steps, each with the product's durability (fsync on, quorum queues, persistent messages,
mandatory, confirms, manual acknowledgement, outbox and inbox):

1. submit: one statement, one commit for each dossier: the dossier row, two outbox rows
   (contact.given, dossier.received), bodies made by json.dumps for each dossier.
2. relay (one process per service): claims up to 100 outbox rows (FOR UPDATE SKIP LOCKED),
   publishes them, gathers the confirms, marks them sent in one statement; sleeps 5 ms when idle.
3. route: takes what has arrived (up to 50); in one statement and commit: inbox rows (repeats are
   left out), a task row and an outbox row (task.assigned) for each new dossier.received; one
   multiple acknowledgement.
4. notify: takes what has arrived (up to 50); in one transaction: inbox rows, a contact row for
   each contact.given, a message row for each dossier.received; acknowledges; hands the messages
   to a null channel; marks them sent in one more commit.
5. the agency: reads the task queue with pika.

With `all_facts` it also carries every further fact that the product makes on this way: routing's
dossier.started and step.opened to intake and notify, notify's citizen.notified to intake, where
inbox rows are written and the dossier's state is set: the same number of facts, copies, inbox and
outbox rows as the product.
"""
