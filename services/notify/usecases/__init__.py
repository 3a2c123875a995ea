"""The verbs of notify that no event brings: send, give up waiting, send again."""
