"""The whole city in one process: composition only; rules and state live in the services."""
