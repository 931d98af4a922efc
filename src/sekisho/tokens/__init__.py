"""What clients carry: access tokens, refresh tokens, session cookies, and the keys behind them."""
