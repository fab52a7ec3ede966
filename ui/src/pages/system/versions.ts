/*
 * Pages and extension are made together: of one version.
 */
/** 0.1.0 (1193bcc) and 0.1.0: the commit is the pages' own business. */
export function worksTogether(pages: string, extension: string): boolean {
  return pages.split(' ')[0] === extension
}
