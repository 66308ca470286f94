"""The tamper-evident record of everything that was decided and done."""
