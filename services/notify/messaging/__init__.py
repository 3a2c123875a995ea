"""Notify's doors to the broker: what it reads, what it states, and the loop that sends."""
