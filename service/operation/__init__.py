"""What whoever runs the service looks at: logs, metrics and traces. None of them ever holds what people wrote."""
