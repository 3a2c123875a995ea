"""The three services (intake, routing, notify), which never import each other, and their composition."""
