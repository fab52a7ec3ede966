/*
 * Names of the SOP classes and transfer syntaxes that are met daily (PS3.6 A); any other is shown by its UID.
 */
const STORAGE = '1.2.840.10008.5.1.4.1.1.'
const SOP_CLASSES: Readonly<Record<string, string>> = {
  [`${STORAGE}1`]: 'Computed Radiography',
  [`${STORAGE}1.1`]: 'Digital X-Ray, for presentation',
  [`${STORAGE}1.1.1`]: 'Digital X-Ray, for processing',
  [`${STORAGE}1.2`]: 'Mammography, for presentation',
  [`${STORAGE}1.2.1`]: 'Mammography, for processing',
  [`${STORAGE}2`]: 'CT Image',
  [`${STORAGE}2.1`]: 'Enhanced CT Image',
  [`${STORAGE}3.1`]: 'Ultrasound Multi-frame',
  [`${STORAGE}4`]: 'MR Image',
  [`${STORAGE}4.1`]: 'Enhanced MR Image',
  [`${STORAGE}4.2`]: 'MR Spectroscopy',
  [`${STORAGE}6.1`]: 'Ultrasound Image',
  [`${STORAGE}7`]: 'Secondary Capture',
  [`${STORAGE}7.1`]: 'Multi-frame Single Bit Secondary Capture',
  [`${STORAGE}7.2`]: 'Multi-frame Grayscale Byte Secondary Capture',
  [`${STORAGE}7.3`]: 'Multi-frame Grayscale Word Secondary Capture',
  [`${STORAGE}7.4`]: 'Multi-frame True Color Secondary Capture',
  [`${STORAGE}11.1`]: 'Grayscale Softcopy Presentation State',
  [`${STORAGE}12.1`]: 'X-Ray Angiographic Image',
  [`${STORAGE}12.2`]: 'X-Ray Radiofluoroscopic Image',
  [`${STORAGE}13.1.3`]: 'Breast Tomosynthesis',
  [`${STORAGE}20`]: 'Nuclear Medicine Image',
  [`${STORAGE}66`]: 'Raw Data',
  [`${STORAGE}66.4`]: 'Segmentation',
  [`${STORAGE}77.1.4`]: 'VL Photographic Image',
  [`${STORAGE}88.11`]: 'Basic Text SR',
  [`${STORAGE}88.22`]: 'Enhanced SR',
  [`${STORAGE}88.33`]: 'Comprehensive SR',
  [`${STORAGE}88.59`]: 'Key Object Selection',
  [`${STORAGE}88.67`]: 'X-Ray Radiation Dose SR',
  [`${STORAGE}104.1`]: 'Encapsulated PDF',
  [`${STORAGE}128`]: 'PET Image',
  [`${STORAGE}481.1`]: 'RT Image',
  [`${STORAGE}481.2`]: 'RT Dose',
  [`${STORAGE}481.3`]: 'RT Structure Set',
  [`${STORAGE}481.5`]: 'RT Plan',
}
export const TRANSFER_SYNTAXES: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.2': 'Implicit VR Little Endian',
  '1.2.840.10008.1.2.1': 'Explicit VR Little Endian',
  '1.2.840.10008.1.2.1.99': 'Deflated Explicit VR Little Endian',
  '1.2.840.10008.1.2.2': 'Explicit VR Big Endian',
  '1.2.840.10008.1.2.4.50': 'JPEG Baseline',
  '1.2.840.10008.1.2.4.51': 'JPEG Extended',
  '1.2.840.10008.1.2.4.57': 'JPEG Lossless',
  '1.2.840.10008.1.2.4.70': 'JPEG Lossless, first-order prediction',
  '1.2.840.10008.1.2.4.80': 'JPEG-LS Lossless',
  '1.2.840.10008.1.2.4.81': 'JPEG-LS Near-Lossless',
  '1.2.840.10008.1.2.4.90': 'JPEG 2000 Lossless',
  '1.2.840.10008.1.2.4.91': 'JPEG 2000',
  '1.2.840.10008.1.2.5': 'RLE Lossless',
}

export function sopClassName(uid: string | null): string {
  return uid === null ? '–' : (SOP_CLASSES[uid] ?? uid)
}

export function transferSyntaxName(uid: string | null): string {
  return uid === null ? '–' : (TRANSFER_SYNTAXES[uid] ?? uid)
}
