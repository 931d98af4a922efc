"""Delivery: letters leave the outbox through a worker and a sender."""
