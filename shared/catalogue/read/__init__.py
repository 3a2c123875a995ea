"""From YAML entries to the model, one module per kind of file; faults of form are noted here.

What is wrong between files (roles, graphs, times) is the business of `checks`.
"""

from __future__ import annotations

from shared.catalogue.read.records import Folder, Found, read_folder

__all__ = ["Folder", "Found", "read_folder"]
