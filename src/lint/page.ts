/** Every code has a page; the link in a diagnostic is the page's path in the repository and in the package. */

/** `docs/rules/DEL001.md`. */
export function pageOf(code: string): string {
  return `docs/rules/${code}.md`;
}
