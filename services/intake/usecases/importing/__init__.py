"""Filing what a file holds, row by row: read, filed by the desk's own rules, answered."""
