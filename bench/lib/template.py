"""
The objects of the benchmarks, and the proof that they arrived.

An object is a real one from python3-pydicom, about 9 KB (MR_small) or CT-sized (CT_small with
512 x 512 incompressible pixels), with UIDs that end in sixteen digits.  The sender puts its
number there, so that each object is one of its own, of a series of 100 and a study of 400, and
whoever knows its number knows all of its bytes.  After every run the files that a peer keeps are
compared with what was acknowledged, byte by byte.
"""

import hashlib
import os

DIGITS = 16
SOP, SERIES, STUDY = "2.25.1", "2.25.2", "2.25.3"
SIZES = {"small": "MR_small.dcm", "ct": "CT_small.dcm"}


class Lost(Exception):
    """An acknowledged object is not there, or not as it was sent."""


def dataset_of(data):
    """The dataset's bytes of a Part 10 file; None if it is no such file."""
    if data[128:132] != b"DICM" or data[132:140] != b"\2\0\0\0UL\4\0":
        return None
    return data[144 + int.from_bytes(data[140:144], "little"):]


class Template:
    def __init__(self, folder, size):
        import pydicom
        from pydicom.data import get_testdata_file

        self.path = os.path.join(folder, size + ".dcm")
        dataset = pydicom.dcmread(get_testdata_file(SIZES[size]))
        if "DataSetTrailingPadding" in dataset:
            del dataset.DataSetTrailingPadding  # it is no loss if a peer leaves that out
        if size == "ct":
            dataset.Rows = dataset.Columns = 512
            dataset.PixelData = os.urandom(512 * 512 * 2)
        dataset.SOPInstanceUID, dataset.SeriesInstanceUID, dataset.StudyInstanceUID = (
            uid + "0" * DIGITS for uid in (SOP, SERIES, STUDY))
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(self.path)
        with open(self.path, "rb") as f:
            data = f.read()
        self.dataset = dataset_of(data)
        self.meta = data[:-len(self.dataset)]
        self.at = [self.dataset.index((uid + "0" * DIGITS).encode()) + len(uid) for uid in (SOP, SERIES, STUDY)]

    def expected(self, number):
        """The dataset of the object with this number."""
        data = bytearray(self.dataset)
        for at, value in zip(self.at, (number, number // 100, number // 400)):
            data[at:at + DIGITS] = b"%0*d" % (DIGITS, value)
        return bytes(data)

    def write_file(self, path, number):
        """The object as a Part 10 file."""
        zeros, digits = (SOP.encode() + b"%0*d" % (DIGITS, n) for n in (0, number))
        with open(path, "wb") as f:
            f.write(self.meta.replace(zeros, digits) + self.expected(number))

    def sha256(self, number):
        return hashlib.sha256(self.expected(number)).hexdigest()

    def number_of(self, data):
        """The number of the object in a Part 10 file; None if its bytes are not those that were sent."""
        dataset = dataset_of(data) or b""
        digits = dataset[self.at[0]:self.at[0] + DIGITS]
        if not digits.isdigit() or dataset != self.expected(int(digits)):
            return None
        return int(digits)

    def verify(self, acknowledged, folder, only=None):
        """Every acknowledged number is a file below the folder (of these paths only, if given)."""
        found, strange = set(), 0
        for path in only if only is not None else files_below(folder):
            with open(path, "rb") as f:
                number = self.number_of(f.read())
            if number is None:
                strange += 1
            else:
                found.add(number)
        lost = set(acknowledged) - found
        if lost:
            raise Lost(f"{len(lost)} of {len(acknowledged)} acknowledged objects are not in {folder} as they were sent "
                       f"({strange} files are something else); one of them is {min(lost)}")


def files_below(folder):
    for path, _, names in os.walk(folder):
        for name in names:
            yield os.path.join(path, name)
