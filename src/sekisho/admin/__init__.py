"""What an operator does: accounts, sessions, keys and the audit trail. One story a module, as in `flows`."""
