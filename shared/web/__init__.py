"""What the three services' web doors share: API, errors, guard, pages, ops door, servers.

No route of one service and no rule of the domain lives here.
"""
