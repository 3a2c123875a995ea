"""The loops that move a service: relay, consumer, ticker, and what keeps them going.

No word of any one service's business, no HTTP and no kombu belongs here. Import from the modules;
this package pulls in nothing by itself.
"""
