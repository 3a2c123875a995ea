"""Pure foundations: errors, clock, ids, calendar, text, phones. No I/O of any kind lives here."""
