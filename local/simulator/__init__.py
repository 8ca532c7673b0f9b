"""The deterministic simulator: runs the real functions in memory with faults, and checks the delivery contract."""
