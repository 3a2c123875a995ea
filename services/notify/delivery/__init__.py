"""The sending loops: what is due is handed to its channel and its answer recorded."""
