/**
 * A link that a mail program has wrapped, in one piece again: without the line ends, the marks of a quotation and the
 * brackets around it. Anything else stays as it is.
 */
export function joined(text: string): string {
  const lines = text.trim().split(/\r?\n/).map((line) => line.replace(/^[>\s]+/, "").trimEnd());
  const link = lines.join("").replace(/^<(.*)>$/, "$1");
  return /^pulse:\/\//i.test(link) ? link : text;
}
