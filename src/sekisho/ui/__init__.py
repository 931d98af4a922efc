"""The hosted pages: sign-in, sign-up, the account, the reference, and the pages of development.

An edge like `sekisho.http`, for people: a page parses, calls the flows that the JSON calls use, and renders. Every page
works without scripts; forms travel as forms and end in a redirect.
"""
