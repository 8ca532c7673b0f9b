"""The name of the command and of the installed package; docs/decisions/0036 says what a wheel puts here."""
