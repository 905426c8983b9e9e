"""Snapshots as text files, for review; `pytest --snapshot-update` writes them."""

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class TextFile(SingleFileSnapshotExtension):
    """One text file for each snapshot."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"
