"""The deterministic simulator: the real functions in memory, every fault we can name, and the contract above all."""
