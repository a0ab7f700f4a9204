"""Readers of published sets, one file each, found by listing this folder.

    modgap measure --suite cv_bench:FOLDER
    load_suite("isobench:FOLDER", gold="published")

A reader offers ``files(folder)``, the files of the set in a fixed order, and ``read(folder, dials)``, its
problems; ``Dials`` where there is a choice. It states in its docstring where the columns are published.
"""
