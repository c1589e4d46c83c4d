"""The ticket server of a hall: rules, ledger, web, feeds."""
