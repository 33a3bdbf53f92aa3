import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# What Snakemake keeps (logs, metadata) has names of people and files, and it makes that folder before it reads this.
os.umask(0o077)
if Path(".snakemake").is_dir():
    Path(".snakemake").chmod(0o700)

# The library is imported by path, so that a clone works as it is and as a Snakemake module.
SCRIPTS = Path(workflow.current_basedir.get_path_or_uri(secret_free=False)).resolve().parents[1] / "scripts"
if str(SCRIPTS) not in sys.path:
    sys.path.insert(0, str(SCRIPTS))

from goe.core.errors import GoeError
from goe.settings import config as goe_config

CONFIG_FILE = "config/config.yaml"


def _look_at_config_files():
    """Stop on config files that Snakemake would refuse without a line, or take the last of two equal keys of."""
    given = workflow.config_settings.configfiles
    # A module that is given its config by another workflow reads no file.
    names = [*given, *([CONFIG_FILE] if Path(CONFIG_FILE).exists() and not workflow.modifier.skip_configfile else [])]
    if not names and not workflow.modifier.skip_configfile:
        raise WorkflowError(
            f"There is no {CONFIG_FILE} in {Path.cwd()} -> give the folder of your run as --directory; "
            f"{SCRIPTS.parent / CONFIG_FILE} is a template to copy there and fill in, README.md has a short one"
        )
    problems = [problem for name in names for problem in goe_config.file_problems(name)]
    if problems:
        raise WorkflowError(f"The config file has to be mended first.\n{GoeError(problems)}")


_look_at_config_files()
