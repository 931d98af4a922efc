"""Webhooks: what is posted to an https address of the operator's.

https_post     one POST that reaches nothing else
signed_post    the same with a signature, by which the receiver knows us
sms            the gateway for text messages
alerts         the receiver of alerts
"""
