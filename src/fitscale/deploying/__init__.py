"""A plan's better place → a folder with all that its own tools need to do the run there: a container file, a SkyPilot task."""
