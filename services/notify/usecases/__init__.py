"""The verbs of notify, one each: tell the citizen, take a contact, send, give up, send again."""
