"""The second step: authenticator apps, recovery codes, codes that are sent, and what they are worth."""
