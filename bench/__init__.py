"""How fast the product is on this machine, beside the least that the same job can cost here.

Run by `./run bench`. Measures and prints; nothing of the product imports from here.
"""
