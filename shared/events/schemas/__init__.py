"""One marshmallow schema per fact version, grouped by who publishes it."""
