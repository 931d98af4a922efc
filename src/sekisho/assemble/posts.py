"""What posts to an address of the operator's: the gateway for text messages, and the receiver of alerts. Loaded only
where one is named."""

from __future__ import annotations

from sekisho.delivery.alert_webhook import AlertWebhook
from sekisho.delivery.https_post import HttpsPost
from sekisho.delivery.sms_webhook import SmsWebhook, WebhookSettings
from sekisho.ports.clock import Clock
from sekisho.settings import Settings


def gateway_post(settings: Settings) -> HttpsPost:
    """Return what posts to the gateway for text messages, which must be named."""
    return HttpsPost(settings.sms.url, may_be_private=settings.sms.private_network)


def sms_webhook(settings: Settings, clock: Clock) -> SmsWebhook:
    sms = settings.sms
    return SmsWebhook(
        gateway_post(settings),
        WebhookSettings(
            secret=sms.secret.get_secret_value() if sms.secret else "",
            token=sms.token.get_secret_value() if sms.token else "",
            header=sms.header,
            sender=sms.sender,
        ),
        clock,
    )


def alert_webhook(settings: Settings, secret: str, clock: Clock) -> AlertWebhook:
    """Return what posts alerts to their receiver, which must be named."""
    alerts = settings.alerts
    return AlertWebhook(HttpsPost(alerts.url, may_be_private=alerts.private_network), secret, clock)
