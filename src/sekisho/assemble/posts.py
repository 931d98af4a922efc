"""What posts to an address of the operator's: the gateway for text messages, and the receiver of alerts. Loaded only
where one is named."""

from __future__ import annotations

from sekisho.delivery.webhooks.alerts import AlertWebhook
from sekisho.delivery.webhooks.https_post import HttpsPost
from sekisho.delivery.webhooks.signed_post import SignedPost
from sekisho.delivery.webhooks.sms import SmsWebhook, WebhookSettings
from sekisho.ports.clock import Clock
from sekisho.settings import Settings


def gateway_post(settings: Settings) -> HttpsPost:
    """Return what posts to the gateway for text messages, which must be named."""
    return HttpsPost(settings.sms.url, may_be_private=settings.sms.private_network)


def alerts_post(settings: Settings) -> HttpsPost:
    """Return what posts to the receiver of alerts, which must be named."""
    return HttpsPost(settings.alerts.url, may_be_private=settings.alerts.private_network)


def sms_webhook(settings: Settings, clock: Clock) -> SmsWebhook:
    sms = settings.sms
    post = SignedPost(gateway_post(settings), sms.secret.get_secret_value() if sms.secret else "", clock)
    token = sms.token.get_secret_value() if sms.token else ""
    return SmsWebhook(post, WebhookSettings(token=token, header=sms.header, sender=sms.sender))


def alert_webhook(settings: Settings, secret: str, clock: Clock) -> AlertWebhook:
    """Return what posts alerts to their receiver, which must be named."""
    return AlertWebhook(SignedPost(alerts_post(settings), secret, clock))
