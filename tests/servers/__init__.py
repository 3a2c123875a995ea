"""What ./test does: own servers on own ports, every check, and the tests. Not part of the product."""
