"""Carrying dossiers through a running installation from outside: what `lienthong smoke` does.

Lives here: a desk, agencies and an operator who use the public doors alone (REST with keys, the
partner kit over AMQP) and the office, agencies and procedure that the catalogue marks as a check.
Must not: open a database, read the catalogue, touch a real agency's task, write to a real citizen.
"""
