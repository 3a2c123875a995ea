"""RabbitMQ through kombu's py-amqp: links, topology, publishing with confirms, subscribing.

Nothing outside shared/messaging imports from here.
"""
