"""The shapes that the ledgers once had, each frozen in a module of its own for the migrations.

Nothing here follows the code: a database made years ago came about by these and no others.
"""
