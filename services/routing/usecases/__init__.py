"""What routing does, one verb each: load, decide, save, record. No web, no broker, no contract."""
