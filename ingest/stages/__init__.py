"""The stages of the pipeline, one file each; no stage knows another."""
