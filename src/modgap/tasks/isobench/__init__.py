"""Problems that can be written down or drawn with nothing lost, one file each.

    modgap generate isobench -n 100 --seed 7 --out problems

The ten tasks follow IsoBench (arXiv 2404.01266). Representations ``audio`` and ``video`` are made on request.
Level ``published`` draws its families and ranges; ``easy``, ``medium`` and ``hard`` are ours, with dials, and
``hard`` is where shortcuts known for the published problems score little more than chance. Answers are exact
at every level.
"""
