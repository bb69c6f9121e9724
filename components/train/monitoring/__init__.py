"""What training says of itself while it runs: logs, curves, sheets, and signs that it goes wrong."""
