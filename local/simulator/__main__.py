"""`python -m local.simulator`."""

from local.cli.simulator import simulator

if __name__ == "__main__":
    simulator(prog_name="python -m local.simulator")
