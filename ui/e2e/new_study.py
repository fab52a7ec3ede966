#!/usr/bin/python3
"""new_study.py DIR COUNT [KEYWORD=VALUE...]

So many CT objects of a study that there was not, as files in DIR, with these values; "{n}" in one is the number of the
object.  Prints the names of the files.
"""
import sys

import pydicom
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

folder, count, *values = sys.argv[1:]
dataset = pydicom.dcmread(get_testdata_file('CT_small.dcm'))
dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
dataset.SeriesNumber = 1
for number in range(1, int(count) + 1):
    for value in values:
        keyword, text = value.split('=', 1)
        setattr(dataset, keyword, text.replace('{n}', str(number)))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.InstanceNumber = number
    name = f'{folder}/{dataset.SOPInstanceUID}.dcm'
    dataset.save_as(name)
    print(name)
