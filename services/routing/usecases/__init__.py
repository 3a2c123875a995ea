"""What routing does, one verb each: load, decide, save, record. No web, and nobody who listens."""
