"""Which of the datasets can be added up; every reason why one cannot is in the log."""

import os

from goe.collect import agree, folder
from goe.collect.dataset import Dataset
from goe.collect.sheet import Settings
from goe.core import logs

os.umask(0o077)
with logs.to(snakemake.log):
    datasets = [Dataset.load(path) for path in snakemake.input]
    agree.judge(datasets, Settings(**snakemake.params.settings))
    print("\n".join(str(problem) for one in datasets for problem in one.problems))
    folder.taken(datasets)
    folder.save(datasets, snakemake.output.agreed)
