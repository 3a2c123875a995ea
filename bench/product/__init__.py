"""The product as a contestant: the real services, built as the real commands build them.

`servers`: four processes of ours on PostgreSQL and RabbitMQ, with the agency as a stranger on
pika. `embedded`: all of it in one process on SQLite and the memory bus. Validation, keys, logs
(into a file), metrics and the timeline are on; only the channel to the citizen is the null one.
"""
