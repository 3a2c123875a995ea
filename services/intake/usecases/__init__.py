"""Intake's verbs: load, decide by the domain, save, record facts. No web, broker or contract here."""
