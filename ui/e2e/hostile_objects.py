#!/usr/bin/python3
"""hostile_objects.py DIR TEXT: objects whose text is TEXT (HTML, as somebody might try), as files in DIR; prints their names."""
import sys

import pydicom
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

folder, text = sys.argv[1:]
dataset = pydicom.dcmread(get_testdata_file('CT_small.dcm'))
dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
dataset.SeriesNumber = 1
dataset.PatientName = text + '^' + text
for keyword in ('PatientID', 'StudyDescription', 'SeriesDescription', 'InstitutionName', 'AccessionNumber', 'StudyID', 'PatientComments', 'ImageComments',
                'ReferringPhysicianName', 'Manufacturer', 'ProtocolName', 'StationName'):
    setattr(dataset, keyword, text)
for number in (1, 2):
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.InstanceNumber = number
    # the second contradicts the first: what it says is shown, too
    dataset.StudyDescription = text * number
    name = f'{folder}/hostile{number}.dcm'
    dataset.save_as(name)
    print(name)
