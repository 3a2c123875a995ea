"""What ships for tests and the benchmark: a line that can be broken. The product never imports it."""
