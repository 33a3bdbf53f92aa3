"""Where the checkout and its resources are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
"""The checkout: Snakefile, workflow, scripts, resources, envs."""
RESOURCES = ROOT / "resources"
