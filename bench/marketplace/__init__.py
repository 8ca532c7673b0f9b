"""The audience jobs of the marketplace as scripts with pandas, and user data for both."""
