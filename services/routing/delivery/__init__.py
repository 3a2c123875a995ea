"""How messages leave for agencies that are called: webhooks."""
