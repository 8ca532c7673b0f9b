"""A fitness app whose people are found by conditions: workspace, data and the pandas script of the benchmark."""
